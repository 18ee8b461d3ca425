import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type DestinationClient, HeaderList } from "@proxy/http";
import { expect, test } from "vitest";
import { createUndiciClient } from "../src/undici/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collections, with turns in between for what is told of them. */
async function forgotten(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

function get(client: DestinationClient): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    const request = { method: "GET", target: "/", headers: HeaderList.from([["Host", "a"]]), body: undefined };
    client.send(request, {
      onProgress: () => {},
      onInformational: () => {},
      onResponse: (head) => void (status = head.status),
      onData: () => true,
      onEnd: () => resolve(status),
      onUpgrade: () => {},
      onError: reject,
    });
  });
}

test("origins that nobody uses any more leave nothing behind", async () => {
  const client = createUndiciClient();
  const count = 1000;
  const heapAfter = async (from: number): Promise<number> => {
    for (let i = from; i < from + count; i++) client.destination({ scheme: "http", host: `10.0.${i >> 8}.${i & 255}`, port: 80 });
    await forgotten();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter(0);
  expect((await heapAfter(count)) - before).toBeLessThan(count * 500);
});

test("an origin with an open connection stays the same client, also when nobody holds it", async () => {
  let connections = 0;
  const server = createServer((_, res) => res.end()).on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createUndiciClient();
  for (let i = 0; i < 3; i++) {
    expect(await get(client.destination({ scheme: "http", host: "127.0.0.1", port }))).toBe(200);
    await forgotten();
  }
  expect(connections).toBe(1);
  await client.close();
  await new Promise((resolve) => server.close(resolve));
});
