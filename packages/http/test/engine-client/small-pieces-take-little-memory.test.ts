import { afterEach, expect, it } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
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
