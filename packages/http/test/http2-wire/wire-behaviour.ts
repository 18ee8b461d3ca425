/** What a server does over some time, and not in answer to one frame: windows, settings, farewells, limits. */
import { describe, expect, test } from "vitest";
import { clientPreface, errorCode, frameFlag, frameType, readUint32, settingId } from "../../src/engine/http2/frames.ts";
import { until } from "../contract/recorders.ts";
import { block, continuation, type Fields, data, frame, goaway, open, ping, request, reset, settings, whole, windowUpdate } from "./frames-to-send.ts";
import type { WireServerFactory } from "./wire-bench.ts";
import type { WireClient } from "./wire-client.ts";
import { wireHarness } from "./wire-harness.ts";

const initialWindow = 65_535;
const tunnel = (path: string): Fields => [[":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "http"], [":path", path], [":authority", "a.test"]];
const post = (stream: number, path: string): Buffer => open(stream, request(path, [], "POST"));

/** Tries it against a server. */
export function wireBehaviour(factory: WireServerFactory): void {
  const connect = wireHarness(factory, expectOrderly);

  describe("greeting", () => {
    test("begins with SETTINGS, which open WebSockets and push nothing, and acknowledges each of the client's in turn", async () => {
      const { client } = await connect();
      client.send(settings([]), settings([[settingId.maxConcurrentStreams, 1]]), settings([]));
      expect(await client.alive()).toBe(true);
      const [first] = client.frames;
      expect([first?.type, first?.flags]).toEqual([frameType.settings, 0]);
      expect(client.announced.get(settingId.enableConnectProtocol)).toBe(1);
      expect(client.announced.get(settingId.enablePush) ?? 0).toBe(0);
      expect(client.announced.get(settingId.maxConcurrentStreams)).toBeGreaterThanOrEqual(100);
      expect(client.frames.filter(({ type, flags }) => type === frameType.settings && flags === frameFlag.ack)).toHaveLength(4);
    });

    test("is the same when preface, SETTINGS and requests come octet by octet", async () => {
      const { client } = await connect({ greeting: Buffer.alloc(0), acknowledge: false });
      const bytes = Buffer.concat([clientPreface, settings([]), post(1, "/echo"), data(1, "hello"), data(1, " wire", true), whole(3, request("/"))]);
      for (const octet of bytes) await new Promise<void>((resolve) => client.socket.write(Buffer.from([octet]), () => resolve()));
      await until(() => client.outcome(1) !== undefined && client.outcome(3) !== undefined);
      expect([client.stream(1).body, client.stream(3).body]).toEqual(["hello wire", "ok"]);
    });
  });

  describe("content", () => {
    test("comes without its padding, and with its trailers", async () => {
      const { client } = await connect();
      const { padded, endStream, endHeaders } = frameFlag;
      client.send(
        post(1, "/echo"),
        frame(frameType.data, padded, 1, Buffer.from("\x03abc\0\0\0")),
        frame(frameType.data, padded, 1, Buffer.from("\x00")),
        frame(frameType.data, padded, 1, Buffer.from("\x02\0\0")),
        frame(frameType.data, padded, 1, Buffer.from("\x00de")),
        frame(frameType.headers, endStream | endHeaders | padded, 1, Buffer.concat([Buffer.from([2]), block([["x-sum", "5"]]), Buffer.alloc(2)])),
      );
      await until(() => client.outcome(1) !== undefined);
      expect(client.stream(1).body).toBe("abcde;x-sum=5");
    });

    test("beyond the length that was announced is given to nobody", async () => {
      const { client, bench } = await connect();
      client.send(open(1, request("/drain", [["content-length", "3"]], "POST")), data(1, "ab"), data(1, "cd"), data(1, "e", true));
      await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
      await client.alive();
      expect(bench.drained).toBeLessThanOrEqual(3);
    });

    test("of an answer to HEAD is none", async () => {
      const { client } = await connect();
      client.send(whole(1, request("/", [], "HEAD")));
      await until(() => client.outcome(1) !== undefined);
      expect([client.outcome(1), client.stream(1).size, client.stream(1).ended]).toEqual(["status 200", 0, true]);
    });

    test("of a tunnel goes both ways until both sides ended it", async () => {
      const { client } = await connect();
      client.send(open(1, tunnel("/chat")));
      await until(() => client.stream(1).status === 200);
      client.send(data(1, "one"));
      await until(() => client.stream(1).body === "one");
      client.send(data(1, ""), data(1, " two", true));
      await until(() => client.stream(1).ended);
      expect(client.stream(1).body).toBe("one two");
    });
  });

  describe("the client's windows", () => {
    test("of streams are kept, also when they grow by SETTINGS", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 5]] });
      client.send(whole(1, request("/large")));
      await until(() => client.stream(1).size > 0);
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(5);
      client.send(windowUpdate(1, 10));
      await until(() => client.stream(1).size > 5);
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(15);
      client.send(settings([[settingId.initialWindowSize, 25]]));
      await until(() => client.stream(1).size > 15);
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(35);
    });

    test("of 0 let a head through and no content", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 0]] });
      client.send(whole(1, request("/large")));
      await until(() => client.stream(1).status === 200);
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(0);
      client.send(windowUpdate(1, 1));
      await until(() => client.stream(1).size === 1);
    });

    test("of the connection is kept, by all streams together", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 1_000_000]] });
      client.send(whole(1, request("/large")), whole(3, request("/large")));
      const size = (): number => client.stream(1).size + client.stream(3).size;
      await until(() => size() >= initialWindow);
      expect(await client.alive()).toBe(true);
      expect(size()).toBe(initialWindow);
      client.send(windowUpdate(0, 10));
      await until(() => size() > initialWindow);
      expect(await client.alive()).toBe(true);
      expect(size()).toBe(initialWindow + 10);
      client.send(windowUpdate(0, 1_000_000));
      await until(() => client.stream(1).ended && client.stream(3).ended);
      expect([client.stream(1).size, client.stream(3).size]).toEqual([200_000, 200_000]);
    });

    test("that SETTINGS made negative must become positive first", async () => {
      const { client } = await connect();
      client.send(windowUpdate(0, 1_000_000), whole(1, request("/large")));
      await until(() => client.stream(1).size >= initialWindow);
      client.send(settings([[settingId.initialWindowSize, 0]]), windowUpdate(1, initialWindow));
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(initialWindow);
      client.send(windowUpdate(1, 1));
      await until(() => client.stream(1).size > initialWindow);
      expect(await client.alive()).toBe(true);
      expect(client.stream(1).size).toBe(initialWindow + 1);
    });

    test("opened octet by octet bring all", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 0]] });
      client.send(whole(1, request("/")));
      await until(() => client.stream(1).status === 200);
      for (let i = 1; i <= 2; i++) {
        client.send(windowUpdate(1, 1));
        await until(() => client.stream(1).size === i);
      }
      await until(() => client.stream(1).ended);
    });

    test("of a stream that was given up are no one else's", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 1_000_000]] });
      client.send(whole(1, request("/large")));
      await until(() => client.stream(1).size >= initialWindow);
      client.send(reset(1));
      await client.alive();
      const before = client.frames.length;
      client.send(windowUpdate(0, 100), whole(3, request("/")));
      await until(() => client.outcome(3) !== undefined);
      expect(client.stream(3).body).toBe("ok");
      expect(client.frames.slice(before).filter(({ stream }) => stream === 1)).toEqual([]);
    });

    test("frames are as large as allowed and not larger", async () => {
      const { client } = await connect({ settings: [[settingId.initialWindowSize, 1_000_000]] });
      client.send(windowUpdate(0, 1_000_000), whole(1, request("/large")));
      await until(() => client.stream(1).ended);
      expect(Math.max(...client.frames.map(({ payload }) => payload.length))).toBeLessThanOrEqual(16_384);
    });
  });

  describe("the server's windows", () => {
    /** The window of the connection as it was announced. */
    function connectionWindow(client: WireClient): number {
      const updates = client.frames.filter(({ type, stream }) => type === frameType.windowUpdate && stream === 0);
      return updates.reduce((sum, { payload }) => sum + readUint32(payload, 0), initialWindow);
    }

    function streamWindow(client: WireClient): number {
      return client.announced.get(settingId.initialWindowSize) ?? initialWindow;
    }

    function body(stream: number, size: number): Buffer[] {
      const frames: Buffer[] = [];
      for (let left = size; left > 0; left -= 16_384) frames.push(data(stream, Buffer.alloc(Math.min(left, 16_384))));
      return frames;
    }

    test("of a stream may be filled, and not by one octet more", async () => {
      const { client } = await connect();
      await client.alive();
      client.send(post(1, "/hang"), ...body(1, streamWindow(client)));
      expect(await client.alive()).toBe(true);
      expect(client.outcome(1)).toBeUndefined();
      client.send(data(1, "x"));
      await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
      expect(["stream FLOW_CONTROL_ERROR", "connection FLOW_CONTROL_ERROR"]).toContain(client.outcome(1) ?? client.ending);
    });

    test("of a stream counts padding", async () => {
      const { client } = await connect();
      await client.alive();
      const window = streamWindow(client);
      const frames: Buffer[] = [];
      for (let left = window; left > 0; left -= 256) frames.push(frame(frameType.data, frameFlag.padded, 1, Buffer.concat([Buffer.from([Math.min(left, 256) - 1]), Buffer.alloc(Math.min(left, 256) - 1)])));
      client.send(post(1, "/hang"), ...frames, data(1, "x"));
      // Whoever gives padding back at once lets the octet pass.
      const error = async (): Promise<string | undefined> => ((await client.alive()) ? client.outcome(1) : client.ending);
      const refills = (): boolean => client.frames.some(({ type, stream }) => type === frameType.windowUpdate && stream === 1);
      const outcome = await error();
      if (!refills()) expect(["stream FLOW_CONTROL_ERROR", "connection FLOW_CONTROL_ERROR"]).toContain(outcome);
    });

    test("of the connection may be filled, and not by one octet more", async () => {
      const { client } = await connect();
      await client.alive();
      const stream = streamWindow(client);
      const whole = connectionWindow(client);
      let left = whole;
      let id = 1;
      for (; left > 0; id += 2, left -= stream) client.send(post(id, "/hang"), ...body(id, Math.min(stream, left)));
      expect(await client.alive()).toBe(true);
      // A server may keep account of streams alone, and open this window again at once.
      if (connectionWindow(client) > whole) return;
      client.send(post(id, "/hang"), data(id, "x"));
      expect(await client.alive()).toBe(false);
      expect(client.ending).toBe("connection FLOW_CONTROL_ERROR");
    });

    /** Sends `size` octets as the windows allow, and gives how many went before the stream was over. */
    async function upload(client: WireClient, id: number, size: number, spent: { octets: number }, ends = true): Promise<void> {
      let sent = 0;
      while (sent < size && client.outcome(id) === undefined) {
        const updates = client.frames.filter(({ type, stream }) => type === frameType.windowUpdate && stream === id);
        const allowed = Math.min(
          updates.reduce((sum, { payload }) => sum + readUint32(payload, 0), streamWindow(client)) - sent,
          connectionWindow(client) - spent.octets,
          size - sent,
          16_384,
        );
        if (allowed > 0) {
          client.send(data(id, Buffer.alloc(allowed), ends && sent + allowed === size));
          sent += allowed;
          spent.octets += allowed;
        } else {
          const before = client.frames.length;
          await until(() => client.frames.length > before || client.ending !== undefined);
          if (client.ending !== undefined) throw new Error(`the upload was ended: ${client.ending}`);
        }
      }
    }

    test("are opened again for whoever keeps them", async () => {
      const { client } = await connect();
      await client.alive();
      client.send(post(1, "/drain"));
      await upload(client, 1, 3_000_000, { octets: 0 });
      await until(() => client.outcome(1) !== undefined);
      expect(client.stream(1).body).toBe("drained");
    });

    test("of the connection get back what nobody will read of answered and given up requests", async () => {
      const { client } = await connect();
      await client.alive();
      const spent = { octets: 0 };
      const stream = streamWindow(client);
      const rounds = Math.ceil((connectionWindow(client) / stream) * 2) + 2;
      let id = 1;
      for (let round = 0; round < rounds; round++) {
        client.send(post(id, "/"));
        await upload(client, id, stream, spent);
        await until(() => client.outcome(id) !== undefined || client.ending !== undefined);
        id += 2;
        client.send(post(id, "/hang"));
        await upload(client, id, stream, spent);
        client.send(reset(id));
        id += 2;
      }
      expect(await client.get(id)).toBe("status 200");
    });

    test("of the connection get back what nobody will read of tunnels", async () => {
      const { client, bench } = await connect();
      await client.alive();
      const spent = { octets: 0 };
      const stream = streamWindow(client);
      const rounds = Math.ceil(connectionWindow(client) / stream) + 1;
      let id = 1;
      for (let round = 0; round < rounds; round++) {
        client.send(open(id, tunnel("/paused")));
        await upload(client, id, stream - 1, spent, false);
        client.send(reset(id));
        id += 2;
        client.send(open(id, tunnel("/forbidden")));
        await upload(client, id, stream - 1, spent, false);
        await until(() => bench.release.length > 0);
        bench.releaseAll();
        await until(() => client.outcome(id) !== undefined);
        expect(client.outcome(id)).toBe("status 403");
        client.send(reset(id));
        id += 2;
      }
      expect(await client.get(id)).toBe("status 200");
    });
  });

  describe("header blocks of answers", () => {
    test("keep a table of 0", async () => {
      const { client } = await connect({ settings: [[settingId.headerTableSize, 0]] });
      for (let id = 1; id < 9; id += 2) expect(await client.get(id)).toBe("status 200");
    });

    test("say when one frame made the table smaller and larger", async () => {
      const { client } = await connect();
      expect(await client.get(1)).toBe("status 200");
      client.send(settings([[settingId.headerTableSize, 0], [settingId.headerTableSize, 4096]]));
      expect(await client.alive()).toBe(true);
      const before = client.frames.length;
      expect(await client.get(3)).toBe("status 200");
      const head = client.frames.slice(before).find(({ type }) => type === frameType.headers);
      // Both sizes, as RFC 7541, 4.2, asks: 0, and one above it.
      expect(head?.payload[0]).toBe(0x20);
      expect((head?.payload[1] as number) >> 5).toBe(1);
    });

    test("say when the table became smaller and larger", async () => {
      const { client } = await connect();
      expect(await client.get(1)).toBe("status 200");
      client.send(settings([[settingId.headerTableSize, 0]]), settings([[settingId.headerTableSize, 4096]]));
      expect(await client.alive()).toBe(true);
      for (let id = 3; id < 13; id += 2) expect(await client.get(id)).toBe("status 200");
    });
  });

  describe("an early answer", () => {
    test("leaves the connection whole, whatever of the body still comes", async () => {
      const { client } = await connect();
      client.send(post(1, "/"), data(1, "x"));
      await until(() => client.outcome(1) !== undefined);
      expect(client.outcome(1)).toBe("status 200");
      client.send(data(1, "y"), frame(frameType.headers, 5, 1, block([["x-a", "b"]])));
      expect(await client.get(3)).toBe("status 200");
    });
  });

  describe("a farewell", () => {
    test("after a fault names the last request that was taken", async () => {
      const { client } = await connect();
      await client.get(1);
      await client.get(7);
      client.send(frame(frameType.ping, 0, 0, Buffer.alloc(3)));
      await until(() => client.closed);
      expect(client.goaway).toEqual({ last: 7, code: errorCode.frameSizeError });
    });

    test("of the client leaves what is under way its answer, and the connection ends then", async () => {
      const { client } = await connect();
      client.send(post(1, "/echo"), goaway(0), data(1, "x", true));
      await until(() => client.closed);
      expect([client.outcome(1), client.stream(1).body]).toEqual(["status 200", "x"]);
    });

    test("of a server that closes loses no request", async () => {
      const { client, bench } = await connect();
      client.send(whole(1, request("/hang")));
      await until(() => bench.release.length === 1);
      const closed = bench.server.front.close(60_000);
      await until(() => client.goaway !== undefined);
      expect(client.goaway?.code).toBe(errorCode.noError);
      // Sent before the farewell was heard of: answered, or refused as never seen.
      client.send(whole(3, request("/")));
      await client.alive();
      bench.releaseAll();
      await until(() => client.closed);
      expect(client.outcome(1)).toBe("status 200");
      const last = client.goaway?.last as number;
      if (client.outcome(3) === undefined) expect(last).toBeLessThan(3);
      else expect(["status 200", "stream REFUSED_STREAM"]).toContain(client.outcome(3));
      await closed;
    });

    test.each([0, 1])("of a server that closes is one GOAWAY and the end after %i requests when nothing is under way", async (requests) => {
      const { client, bench } = await connect();
      for (let i = 0; i < requests; i++) expect(await client.get(1)).toBe("status 200");
      expect(await client.alive()).toBe(true);
      // The clock stands still: nothing is waited for.
      await bench.server.front.close(60_000);
      await until(() => client.closed);
      expect(client.goaway).toEqual({ last: requests, code: errorCode.noError });
      expect(client.frames.filter(({ type }) => type === frameType.goaway)).toHaveLength(1);
    });

    test("of a server that closes waits for a request whose head has begun to come", async () => {
      const { client, bench } = await connect();
      client.destroy();
      const socket = await bench.server.connect();
      let heard = "";
      socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
      const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      const head = whole(1, request("/"));
      socket.write(Buffer.concat([clientPreface, settings([]), ping("halfway!"), head.subarray(0, 12)]));
      await until(() => heard.includes("halfway!"));
      const closed = bench.server.front.close(60_000);
      await until(() => heard.includes("goodbye!"));
      socket.write(Buffer.concat([head.subarray(12), ping("goodbye!", frameFlag.ack)]));
      await Promise.all([closed, ended]);
      expect(bench.seen).toEqual(["/"]);
      expect(heard).toContain("ok");
    });

    test("comes to whoever says nothing any more", async () => {
      const { client, bench } = await connect({}, { keepAliveTimeout: 1000 });
      expect(await client.get(1)).toBe("status 200");
      bench.server.clock.advance(1001);
      await until(() => client.goaway !== undefined);
      expect(client.goaway).toEqual({ last: 1, code: errorCode.noError });
      bench.server.clock.advance(60_000);
      await until(() => client.closed);
    });

    test("or none comes to whoever never speaks", async () => {
      const { client, bench } = await connect({ greeting: Buffer.from("PRI * HT") }, { requestHeadersTimeout: 1000 });
      await until(() => bench.server.front.connectionCount === 1);
      bench.server.clock.advance(1001);
      await bench.server.clock.looked(() => bench.server.front.connectionCount === 0);
      bench.server.clock.advance(60_000);
      await until(() => client.closed);
    });
  });

  describe("heads that are too large", () => {
    const limits = { maxRequestHeadersTotalSize: 4000, maxRequestLineSize: 1000, maxRequestHeaderCount: 20 };

    test.each([
      ["one long field", request("/refused", [["x-a", "x".repeat(4100)]])],
      ["many fields", request("/refused", Array.from({ length: 21 }, (_none, i) => [`x-${i}`, "1"] as const))],
      ["far more fields", request("/refused", Array.from({ length: 500 }, (_none, i) => [`x-${i}`, "1"] as const))],
      ["many long fields", request("/refused", Array.from({ length: 15 }, (_none, i) => [`x-${i}`, "1".repeat(1000)] as const))],
    ])("by %s are refused, and the next is served", async (_what, fields) => {
      const { client, bench } = await connect({}, limits);
      client.send(whole(1, fields));
      await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
      expect(["status 431", "stream ENHANCE_YOUR_CALM", "stream PROTOCOL_ERROR", "connection ENHANCE_YOUR_CALM"]).toContain(client.outcome(1) ?? client.ending);
      if (client.ending === undefined) expect(await client.get(3)).toBe("status 200");
      expect(bench.seen).not.toContain("/refused");
    });

    test("by a path are 414", async () => {
      const { client } = await connect({}, limits);
      expect(await client.get(1, `/${"x".repeat(1200)}`)).toBe("status 414");
    });

    test("by a small block that means a huge list are refused", async () => {
      const { client, bench } = await connect();
      const entry = Buffer.concat([Buffer.from("4001617fa11e", "hex"), Buffer.alloc(4000, "x")]);
      client.send(frame(frameType.headers, 5, 1, Buffer.concat([block(request("/refused")), entry, Buffer.alloc(12_000, 0xbe)])));
      await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
      expect(["status 431", "stream ENHANCE_YOUR_CALM", "stream PROTOCOL_ERROR", "connection ENHANCE_YOUR_CALM"]).toContain(client.outcome(1) ?? client.ending);
      expect(bench.seen).not.toContain("/refused");
    });

    test.each([
      ["in full frames", 16_384],
      ["in small frames", 100],
      ["in empty frames", 0],
    ])("that never end, %s, end the connection", async (_how, size) => {
      const { client, bench } = await connect();
      client.send(frame(frameType.headers, frameFlag.endStream, 1, block(request("/refused"))));
      const part = size === 0 ? Buffer.alloc(0) : block([["x-a", "y".repeat(Math.max(1, size - 20))]]);
      for (let i = 0; client.ending === undefined; i++) {
        client.send(continuation(1, part, false));
        bench.server.clock.advance(5);
        if (i % 10 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      }
      expect(["connection ENHANCE_YOUR_CALM", "connection PROTOCOL_ERROR", "connection COMPRESSION_ERROR", "connection INTERNAL_ERROR", "closed"]).toContain(client.ending);
    });
  });

  describe("floods", () => {
    const floods: readonly (readonly [string, (id: number) => readonly Buffer[]])[] = [
      ["PING", () => [ping()]],
      ["SETTINGS", () => [settings([])]],
      ["SETTINGS of many values", () => [settings(Array.from({ length: 30 }, () => [settingId.initialWindowSize, 65_535] as const))]],
      ["requests that are given up at once", (id) => [whole(id, request("/hang")), reset(id)]],
      ["requests with bodies that are given up at once", (id) => [post(id, "/hang"), data(id, "x"), reset(id)]],
      ["requests that the server has to reset", (id) => [whole(id, request("/refused", [["connection", "x"]]))]],
      ["streams that the server has to reset for their windows", (id) => [whole(id, request("/hang")), windowUpdate(id, 0)]],
      ["empty DATA", (id) => [...(id === 1 ? [post(1, "/hang")] : []), data(1, "")]],
      ["DATA of padding alone", (id) => [...(id === 1 ? [post(1, "/hang")] : []), frame(frameType.data, frameFlag.padded, 1, Buffer.from([3, 0, 0, 0]))]],
      ["acknowledged SETTINGS", () => [frame(frameType.settings, frameFlag.ack, 0)]],
      ["answers to PING", () => [ping("unsought", frameFlag.ack)]],
      ["GOAWAY", (id) => [...(id === 1 ? [post(1, "/hang")] : []), goaway(0)]],
      ["requests beyond the streams that are allowed", (id) => [whole(id, request("/hang"))]],
      ["header blocks on a stream that was reset", (id) => [id === 1 ? open(1, request("/refused", [["connection", "x"]])) : whole(1, request("/refused"))]],
      ["PRIORITY", (id) => [frame(frameType.priority, 0, id, Buffer.alloc(5))]],
      ["unknown frames", (id) => [frame(0x77, 0, id, Buffer.alloc(20))]],
      ["WINDOW_UPDATE", () => [windowUpdate(0, 1)]],
      ["RST_STREAM of streams that are over", (id) => [...(id === 1 ? [whole(1, request("/")), ] : []), reset(1)]],
    ];

    test.each(floods)("of %s end the connection", async (_what, make) => {
      const { client, bench } = await connect();
      let id = 1;
      const frames: Buffer[] = [];
      // Answers are read, and the server may need its time: no flood is ended for what the client did not do.
      while (client.ending === undefined) {
        for (let i = 0; i < 500; i++, id += 2) frames.push(...make(id));
        client.send(...frames.splice(0));
        bench.server.clock.advance(20);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await until(() => client.closed);
      expect(bench.open).toBe(0);
    });
  });
}

/** What no answer may hold, whatever it is to. */
function expectOrderly(client: WireClient): void {
  for (const received of client.frames) {
    if (received.type === frameType.headers) {
      for (const head of client.stream(received.stream).heads) {
        for (const [name, value] of head) {
          expect(name).toBe(name.toLowerCase());
          expect(["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"]).not.toContain(name);
          expect(/[\0\r\n]/.test(value)).toBe(false);
        }
      }
    }
    expect(received.type).not.toBe(frameType.pushPromise);
  }
}
