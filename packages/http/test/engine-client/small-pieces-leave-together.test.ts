/** Pieces of a request body that came in one turn leave in one write, however small they were cut. */
import { Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { type BodySink, type BodySource, createEngineClient, createHttp2Server, type HttpClient, HeaderList } from "../../src/index.ts";
import { data, open, request, settings } from "../http2-wire/frames-to-send.ts";
import { clientPreface } from "../../src/engine/http2/frames.ts";
import { RawClient } from "../contract/raw-client.ts";
import { until } from "../contract/recorders.ts";
import { RawDestination } from "./raw-destination.ts";
import { Recorder } from "./recorder.ts";

let client: HttpClient | undefined;
let destination: RawDestination | undefined;

afterEach(async () => {
  vi.restoreAllMocks();
  client?.destroy();
  await destination?.stop();
});

/** Counts what the system is given on sockets to `port`. */
function countWrites(port: number): { count: number } {
  const writes = { count: 0 };
  for (const name of ["_write", "_writev"] as const) {
    const plain = Socket.prototype[name] as (...args: unknown[]) => void;
    vi.spyOn(Socket.prototype, name).mockImplementation(function (this: Socket, ...args: unknown[]) {
      if (this.remotePort === port) writes.count++;
      Reflect.apply(plain, this, args);
    });
  }
  return writes;
}

test.each([["of known length", 500], ["of unknown length", undefined]])("a body %s of single bytes is few writes, and whole", async (_title, length) => {
  const there = (destination = await RawDestination.start(() => undefined));
  const received = (): string => there.received[0] ?? "";
  client = createEngineClient();
  let sink: BodySink | undefined;
  const body: BodySource = { length, started: false, read: (reader) => void (sink = reader), pause: () => undefined, resume: () => undefined, cancel: () => undefined };
  const recorder = new Recorder();
  client.destination(there.origin).send({ method: "POST", target: "/", headers: HeaderList.from([["Host", "a"]]), body }, recorder);
  await until(() => received().includes("\r\n\r\n"));
  const writes = countWrites(there.port);
  for (let i = 0; i < 500; i++) sink?.onData(Buffer.from([97 + (i % 26)]));
  sink?.onEnd(undefined);
  const letters = Array.from({ length: 500 }, (_, i) => String.fromCharCode(97 + (i % 26)));
  const wire = length === undefined ? `${letters.map((letter) => `1\r\n${letter}\r\n`).join("")}0\r\n\r\n` : letters.join("");
  await until(() => received().endsWith(wire));
  expect(writes.count).toBeLessThan(5);
  there.sockets[0]?.write("HTTP/1.1 204 No Content\r\n\r\n");
  await recorder.done;
});

test("DATA frames of single bytes that come over HTTP/2 together leave together", async () => {
  const there = (destination = await RawDestination.start(() => undefined));
  const received = (): string => there.received[0] ?? "";
  client = createEngineClient();
  const pool = client.destination(there.origin);
  const server = createHttp2Server({
    handler: ({ body }) => void pool.send({ method: "POST", target: "/", headers: HeaderList.from([["Host", "a"]]), body }, new Recorder()),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const raw = await RawClient.open(port);
  raw.write(Buffer.concat([clientPreface, settings([]), open(1, request("/", [], "POST"))]));
  await until(() => received().includes("\r\n\r\n"));
  const writes = countWrites(there.port);
  raw.write(Buffer.concat([...Array.from({ length: 1000 }, () => data(1, "x")), data(1, "", true)]));
  await until(() => received().endsWith("0\r\n\r\n"));
  expect(received().split("1\r\nx\r\n").length).toBe(1001);
  // As many as there were reads.
  expect(writes.count).toBeLessThan(100);
  raw.destroy();
  await server.close(0);
});
