import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createEngineClient, type HttpClient } from "../../src/index.ts";
import { get, send } from "./recorder.ts";
import { RawDestination } from "./raw-destination.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collections, with turns in between for what is told of them. */
async function forgotten(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

async function heapAfter(client: HttpClient, from: number, count: number): Promise<number> {
  for (let i = from; i < from + count; i++) client.destination({ scheme: "http", host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 80 });
  await forgotten();
  return process.memoryUsage().heapUsed;
}

test("origins that nobody uses any more leave nothing behind", async () => {
  const client = createEngineClient();
  const count = 20_000;
  const before = await heapAfter(client, 0, count);
  const after = await heapAfter(client, count, count);
  expect(after - before).toBeLessThan(count * 50);
});

test("an origin with an open connection stays the same client, also when nobody holds it", async () => {
  const raw = await RawDestination.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const client = createEngineClient();
  for (let i = 0; i < 3; i++) {
    const { outcome, body } = await send(client.destination(raw.origin)).done;
    expect([outcome, body]).toEqual(["end", "ok"]);
    await forgotten();
  }
  expect(raw.sockets).toHaveLength(1);
  await client.close();
  await raw.until(() => raw.open === 0);
  await raw.stop();
});

test("one that is held serves again after its last connection was closed", async () => {
  const raw = await RawDestination.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  });
  const client = createEngineClient();
  const held = client.destination(raw.origin);
  for (let i = 0; i < 2; i++) {
    expect((await send(held, get(`/${i}`)).done).body).toBe("ok");
    await raw.until(() => raw.open === 0);
    await forgotten();
    expect(client.destination(raw.origin)).toBe(held);
  }
  await client.close();
  await raw.stop();
});
