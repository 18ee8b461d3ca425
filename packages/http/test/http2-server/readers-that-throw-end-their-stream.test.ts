/** What throws while it is told of a request ends that request alone: others on the same connection go on. */
import { constants } from "node:http2";
import { expect, test } from "vitest";
import { type BodySink, type Exchange, HeaderList, type Tunnel } from "../../src/index.ts";
import { turns, until } from "../contract/recorders.ts";
import { answered, type Bench, get, serve } from "./http2-bench.ts";

const ok = { status: 200, headers: new HeaderList() };
const oops = (): never => {
  throw new Error("oops");
};
const quiet: BodySink = { onData: () => true, onEnd: () => undefined, onError: () => undefined };

/** Serves `/bad` by `bad` and answers all else; gives what became of a POST to `/bad`, and how many exchanges are over. */
async function tryReader(bad: (exchange: Exchange) => void): Promise<{ readonly bench: Bench; readonly code: number | undefined; readonly completed: () => number }> {
  let completed = 0;
  const bench = await serve((exchange) => {
    exchange.onComplete(() => completed++);
    if (exchange.request.path === "/bad") bad(exchange);
    else exchange.response.send(ok, "fine");
  });
  const stream = bench.session.request({ ":path": "/bad", ":method": "POST" });
  stream.write("part");
  stream.end("rest");
  const { rstCode } = await answered(stream);
  return { bench, code: rstCode, completed: () => completed };
}

test.each<[string, (exchange: Exchange) => void]>([
  ["a chunk", ({ body }) => body?.read({ ...quiet, onData: oops })],
  ["its end", ({ body }) => body?.read({ ...quiet, onEnd: oops })],
  ["a chunk and then its error", ({ body }) => body?.read({ ...quiet, onData: oops, onError: oops })],
])("a reader of a body that throws at %s: its stream is reset, and nothing else", async (_what, bad) => {
  const { bench, code, completed } = await tryReader(bad);
  expect(code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  for (let i = 0; i < 3; i++) expect(await get(bench, {})).toMatchObject({ status: 200, body: "fine" });
  expect(bench.server.connectionCount).toBe(1);
  await until(() => completed() === 4);
  expect(bench.faults.map(({ message }) => message)).toContain("oops");
});

test("a listener that throws when more may be written: its stream is reset, and nothing else", async () => {
  const bench = await serve((exchange) => {
    const { response } = exchange;
    if (exchange.request.path !== "/bad") {
      response.send(ok, "fine");
      return;
    }
    response.start(ok);
    response.onDrain(oops);
    while (response.write(Buffer.alloc(65_536)));
  });
  const stream = bench.session.request({ ":path": "/bad" });
  stream.resume();
  expect((await answered(stream)).rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect(await get(bench, {})).toMatchObject({ status: 200, body: "fine" });
});

test("a listener that throws when its client leaves takes nobody with it", async () => {
  let told = 0;
  const bench = await serve((exchange) => {
    if (exchange.request.path !== "/bad") {
      exchange.response.send(ok, "fine");
      return;
    }
    exchange.onClientGone(() => {
      told++;
      oops();
    });
  });
  const stream = bench.session.request({ ":path": "/bad" });
  stream.on("error", () => undefined);
  await get(bench, {});
  stream.close(constants.NGHTTP2_CANCEL);
  await until(() => told === 1);
  expect(await get(bench, {})).toMatchObject({ status: 200, body: "fine" });
});

test("a reader of a tunnel that throws: its stream is reset, and nothing else", async () => {
  const tunnels: Tunnel[] = [];
  const bench = await serve((exchange) => {
    const { upgrade } = exchange.features;
    if (upgrade === undefined) {
      exchange.response.send(ok, "fine");
      return;
    }
    const tunnel = upgrade.accept(ok);
    tunnels.push(tunnel);
    tunnel.read({ ...quiet, onData: oops });
  });
  await get(bench, {});
  const stream = bench.session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/", ":scheme": "http", ":authority": "a.test" });
  stream.write("bytes");
  expect((await answered(stream)).rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect(await get(bench, {})).toMatchObject({ status: 200, body: "fine" });
  tunnels[0]?.write(Buffer.from("late"));
  await turns(2);
});
