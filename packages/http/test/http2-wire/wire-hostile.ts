/** What a client can do to a server that keeps every rule or none: hold, delay, leave at any moment. */
import { describe, expect, test } from "vitest";
import { frameFlag, frameType, readUint32, settingId } from "../../src/engine/http2/frames.ts";
import { until } from "../contract/recorders.ts";
import { block, data, type Fields, frame, open, request, reset, settings, whole, windowUpdate } from "./frames-to-send.ts";
import type { WireBench, WireServerFactory } from "./wire-bench.ts";
import type { WireClient } from "./wire-client.ts";
import { wireHarness } from "./wire-harness.ts";

const post = (stream: number, path: string): Buffer => open(stream, request(path, [], "POST"));
const tunnel = (path: string): Fields => [[":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "http"], [":path", path], [":authority", "a.test"]];
const getBlock = block(request("/"));
const steps = 5;

/** Moves the clock on in steps, as time goes: a server may ignore a leap. */
async function pass(bench: WireBench, milliseconds: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    bench.server.clock.advance(milliseconds / steps);
    await bench.server.clock.looked(() => bench.server.front.connectionCount === 0);
  }
}

export function wireHostile(factory: WireServerFactory): void {
  const connect = wireHarness(factory);

  describe("a client that reads nothing", () => {
    test("has few requests under way, and an answer to each when it reads again", async () => {
      const { client, bench } = await connect();
      await client.alive();
      client.socket.pause();
      const count = 20_000;
      for (let id = 1; id < 2 * count; id += 2) client.send(frame(frameType.headers, 5, id, getBlock));
      // As many as the server takes without an answer having left.
      await until(() => bench.seen.length > 100);
      client.socket.resume();
      await until(() => client.outcome(2 * count - 1) !== undefined || client.ending !== undefined);
      expect(bench.mostOpen).toBeLessThanOrEqual(500);
      if (client.ending !== undefined) return;
      for (let id = 1; id < 2 * count; id += 2) expect(["status 200", "stream REFUSED_STREAM"]).toContain(client.outcome(id));
    });

    test("loses its connection when the answers wait too long", async () => {
      const { client, bench } = await connect({ settings: [[settingId.initialWindowSize, 2 ** 31 - 1]] });
      client.send(windowUpdate(0, 2 ** 31 - 1 - 65_535));
      await client.alive();
      client.socket.pause();
      for (let id = 1; id < 200; id += 2) client.send(whole(id, request("/large")));
      await until(() => bench.seen.length > 10);
      while (bench.server.front.connectionCount > 0) await pass(bench, 1_000_000);
    });
  });

  describe("a client that opens no window", () => {
    test("loses its requests when the answers wait too long", async () => {
      const { client, bench } = await connect({ settings: [[settingId.initialWindowSize, 0]] });
      for (let id = 1; id < 200; id += 2) client.send(whole(id, request("/large")));
      await until(() => bench.open === 100);
      while (bench.open > 0) await pass(bench, 1_000_000);
    });

    test("but by one octet at a time loses them as well", async () => {
      const { client, bench } = await connect({ settings: [[settingId.initialWindowSize, 0]] });
      client.send(whole(1, request("/large")));
      await until(() => client.stream(1).status === 200);
      for (let i = 0; bench.open > 0; i++) {
        if (client.outcome(1) === undefined) client.send(windowUpdate(1, 1));
        await pass(bench, 60_000);
        expect(i).toBeLessThan(100);
      }
      expect(client.stream(1).size).toBeLessThan(200);
    });

    test("of the connection loses them all", async () => {
      const { client, bench } = await connect({ settings: [[settingId.initialWindowSize, 1_000_000]] });
      for (let id = 1; id < 60; id += 2) client.send(whole(id, request("/large")));
      await until(() => bench.seen.length === 30);
      while (bench.open > 0) await pass(bench, 1_000_000);
    });
  });

  describe("a client that comes to no end", () => {
    const parts: readonly (readonly [string, Buffer])[] = [
      ["the header of a frame", Buffer.from([0, 0])],
      ["a frame", frame(frameType.ping, 0, 0, Buffer.alloc(8)).subarray(0, 12)],
      ["a header block", frame(frameType.headers, frameFlag.endStream, 103, block(request("/refused")).subarray(0, 9))],
    ];
    test.each(parts)("of %s loses its connection", async (_what, part) => {
      const { client, bench } = await connect({}, { requestHeadersTimeout: 10_000, keepAliveTimeout: 100_000 });
      await client.alive();
      client.send(whole(101, request("/hang")), part);
      await until(() => bench.open === 1);
      for (let i = 0; client.ending === undefined; i++) {
        await pass(bench, 5000);
        expect(i).toBeLessThan(20);
      }
    });

    test("of a frame after a long silence has the same time for it", async () => {
      const { client, bench } = await connect({}, { requestHeadersTimeout: 10_000, keepAliveTimeout: 1_000_000 });
      await client.alive();
      await pass(bench, 100_000);
      const head = whole(1, request("/"));
      client.send(head.subarray(0, 12));
      await pass(bench, 5000);
      client.send(head.subarray(12));
      await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
      expect(client.outcome(1)).toBe("status 200");
    });

    test("of a body that somebody reads has it fail", async () => {
      const { client, bench } = await connect();
      client.send(post(1, "/echo"), data(1, "x"));
      await until(() => bench.open === 1);
      for (let i = 0; client.outcome(1) === undefined; i++) {
        await pass(bench, 5000);
        expect(i).toBeLessThan(20);
      }
    });
  });

  test("a body is not slow for what the connection's window does not let through", async () => {
    const { client, bench } = await connect();
    await client.alive();
    const stream = client.announced.get(settingId.initialWindowSize) ?? 65_535;
    const window = client.frames.filter(({ type, stream: id }) => type === frameType.windowUpdate && id === 0).reduce((sum, { payload }) => sum + readUint32(payload, 0), 65_535);
    client.send(post(1, "/drain"), data(1, "x"));
    let id = 3;
    for (let left = window - 1; left > 0; id += 2) {
      client.send(post(id, "/hang"));
      for (let rest = Math.min(left, stream); rest > 0; rest -= 16_384) {
        client.send(data(id, Buffer.alloc(Math.min(rest, 16_384))));
      }
      left -= stream;
    }
    await client.alive();
    for (let i = 0; i < 6; i++) await pass(bench, 5000);
    expect(await client.alive()).toBe(true);
    expect([client.outcome(1), bench.failed]).toEqual([undefined, 0]);
    for (let other = 3; other < id; other += 2) client.send(reset(other));
    await until(() => client.frames.filter(({ type, stream: of }) => type === frameType.windowUpdate && of === 0).reduce((sum, { payload }) => sum + readUint32(payload, 0), 65_535) > window);
    client.send(data(1, "y", true));
    await until(() => client.outcome(1) !== undefined);
    expect(client.outcome(1)).toBe("status 200");
  });

  const leaves: readonly (readonly [string, (client: WireClient, stream: number) => void])[] = [
    ["resets the stream", (client, stream) => client.send(reset(stream))],
    ["ends the connection", (client) => void client.socket.end()],
    ["resets the connection", (client) => void client.socket.resetAndDestroy()],
    ["does what no client may", (client) => client.send(frame(frameType.ping, 0, 1, Buffer.alloc(8)))],
    ["makes its windows small", (client) => client.send(settings([[settingId.initialWindowSize, 0]]), reset(1))],
    ["resets the stream and says more on it", (client, stream) => client.send(reset(stream), data(stream, "x"))],
  ];
  const steps: readonly (readonly [string, (client: WireClient, bench: WireBench) => void | Promise<void>])[] = [
    ["behind the head", (client) => client.send(post(1, "/hang"))],
    ["behind the head, which was read", async (client, bench) => {
      client.send(post(1, "/hang"));
      await until(() => bench.open === 1);
    }],
    ["within the body", (client) => client.send(post(1, "/echo"), data(1, "some"))],
    ["within a DATA frame", async (client, bench) => {
      client.send(post(1, "/echo"));
      await until(() => bench.open === 1);
      client.send(data(1, "some more").subarray(0, 12));
    }],
    ["behind the body", (client) => client.send(post(1, "/hang"), data(1, "all", true))],
    ["behind the trailers", (client) => client.send(post(1, "/hang"), frame(frameType.headers, 5, 1, block([["x-a", "b"]])))],
    ["within the answer", async (client) => {
      client.send(whole(1, request("/large")));
      await until(() => client.stream(1).size > 0);
    }],
    ["behind an early answer", async (client) => {
      client.send(post(1, "/"), data(1, "some"));
      await until(() => client.stream(1).ended);
    }],
    ["before a tunnel", (client) => client.send(open(1, tunnel("/forbidden")), data(1, "early"))],
    ["in a tunnel", async (client) => {
      client.send(open(1, tunnel("/chat")), data(1, "hello"));
      await until(() => client.stream(1).body === "hello");
    }],
    ["in a tunnel that ended here", async (client) => {
      client.send(open(1, tunnel("/chat")), data(1, "hello", true));
      await until(() => client.stream(1).body === "hello");
    }],
    ["in a tunnel that is not read", async (client) => {
      client.send(open(1, tunnel("/paused")), data(1, "hello"));
      await until(() => client.stream(1).status === 200);
    }],
    ["with much under way on other streams", async (client, bench) => {
      for (let id = 3; id < 60; id += 2) client.send(id % 4 === 1 ? post(id, "/echo") : whole(id, request(id % 3 === 0 ? "/large" : "/hang")));
      client.send(whole(61, request("/large")));
      await until(() => bench.seen.length === 30);
    }],
  ];
  describe.each(leaves)("a client that %s", (_how, leave) => {
    test.each(steps)("%s leaves nothing behind", async (when, step) => {
      const { client, bench } = await connect();
      await step(client, bench);
      leave(client, bench.seen.length === 30 ? 61 : 1);
      // Within a frame that is never finished nothing is heard any more; otherwise the connection goes on or ends.
      if (when !== "within a DATA frame") await client.alive();
    });
  });
}
