import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, it } from "vitest";
import { createEngineClient, type HttpClient, type ResponseHead } from "../../src/index.ts";
import { RawDestination } from "./raw-destination.ts";
import { get, Recorder } from "./recorder.ts";

let client: HttpClient;
let destination: RawDestination;

afterEach(async () => {
  client.destroy();
  await destination.stop();
});

it.each([
  ["chunked", "Transfer-Encoding: chunked\r\n", "8\r\nan event\r\n"],
  ["until the connection ends", "", "an event"],
])("pieces of a body, %s, that somebody keeps hold no more memory than they need", async (_name, fields, piece) => {
  const count = 400;
  destination = await RawDestination.start((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${fields}\r\n`);
  });
  client = createEngineClient();
  const kept: Uint8Array[] = [];
  const recorder = new Recorder();
  // Each piece is sent when the one before it has come: all of them are read for themselves.
  const next = (): void => void (destination.sockets[0] as { write(text: string): void }).write(piece);
  recorder.onHead = next;
  recorder.onChunk = (chunk) => {
    kept.push(chunk);
    if (kept.length < count) next();
    else destination.sockets[0]?.destroy();
    return false;
  };
  const before = process.memoryUsage().arrayBuffers;
  client.destination(destination.origin).send(get(), recorder);
  await recorder.done;
  expect(kept.map((chunk) => Buffer.from(chunk).toString())).toEqual(Array<string>(count).fill("an event"));
  // With a read buffer for each it would be 25 MiB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 21);
});

it("an idle connection holds nothing of the response that came last", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  destination = await RawDestination.start((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  client = createEngineClient();
  const pool = client.destination(destination.origin);
  const heads: WeakRef<ResponseHead>[] = [];
  await new Promise<void>((resolve, reject) => {
    pool.send(get(), {
      onProgress: () => {},
      onInformational: () => {},
      onResponse: () => reject(new Error("in parts")),
      onData: () => {},
      onEnd: () => {},
      onUpgrade: () => {},
      onError: reject,
      onWholeResponse: (head) => {
        heads.push(new WeakRef(head));
        resolve();
      },
    });
  });
  // What a turn of the event loop has seen stays until its end.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(heads.map((head) => head.deref())).toEqual([undefined]);
  expect(destination.open).toBe(1);
});
