/** What a connection carried when it was cut is never taken for whole. */
import { expect, test } from "vitest";
import { type Exchange, HeaderList } from "../../src/index.ts";
import { RawClient } from "../contract/raw-client.ts";
import { BodyCollector, until } from "../contract/recorders.ts";
import { type Bench, frame, serve } from "./http2-bench.ts";

const preface = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, "")]);
/** POST / of a.test without END_STREAM, and one byte of its body. */
const post = [frame(1, 4, 1, "83868441 06612e74657374"), frame(0, 0, 1, "61")];
/** CONNECT with :protocol websocket, :scheme http, :path /, :authority a.test, and one byte. */
const connect = [frame(1, 4, 1, "4207434f4e4e454354 4009 3a70726f746f636f6c 09 776562736f636b6574 8684 4106612e74657374"), frame(0, 0, 1, "61")];

const cuts: readonly (readonly [string, (raw: RawClient, bench: Bench) => void])[] = [
  ["the client's FIN", (raw) => raw.end()],
  ["the client's reset", (raw) => raw.reset()],
  ["the end of the grace period", (_raw, bench) => void bench.server.close(20)],
];

test.each(cuts)("a body under way at %s fails, and the client counts as gone", async (_how, cut) => {
  const collector = new BodyCollector();
  let gone = 0;
  const bench = await serve((exchange: Exchange) => {
    exchange.onClientGone(() => gone++);
    exchange.body?.read(collector);
  });
  const raw = await RawClient.open(bench.port);
  raw.write(Buffer.concat([preface, ...post]));
  await collector.first;
  cut(raw, bench);
  await expect(collector.done).rejects.toBeInstanceOf(Error);
  await until(() => gone === 1);
  raw.destroy();
});

test.each(cuts)("a tunnel at %s ends with an error", async (_how, cut) => {
  const collector = new BodyCollector();
  const bench = await serve((exchange) => {
    exchange.features.upgrade?.accept({ status: 200, headers: new HeaderList() }).read(collector);
  });
  const raw = await RawClient.open(bench.port);
  raw.write(Buffer.concat([preface, ...connect]));
  await collector.first;
  cut(raw, bench);
  await expect(collector.done).rejects.toBeInstanceOf(Error);
  raw.destroy();
});

test("a tunnel that the server ended still reads from the client", async () => {
  const collector = new BodyCollector();
  const bench = await serve((exchange) => {
    const tunnel = exchange.features.upgrade?.accept({ status: 200, headers: new HeaderList() });
    tunnel?.read(collector);
    tunnel?.end();
  });
  const raw = await RawClient.open(bench.port);
  raw.write(Buffer.concat([preface, ...connect]));
  await collector.first;
  // The END_STREAM of the server: DATA without bytes, or the flag on its last frame.
  await until(() => Buffer.from(raw.pending, "latin1").includes(Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 1])));
  raw.write(frame(0, 1, 1, "62"));
  expect((await collector.done).bytes.toString()).toBe("ab");
  raw.destroy();
});
