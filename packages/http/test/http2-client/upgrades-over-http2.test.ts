import { constants } from "node:http2";
import { describe, expect, test } from "vitest";
import { resetStream } from "./reset-stream.ts";
import { BodyCollector, turns, until } from "../contract/recorders.ts";
import type { SendOptions } from "../contract/destination-call.ts";
import { http2Bench } from "./bench.ts";
import { frameType } from "./frame-peer.ts";

const bench = http2Bench();
const withConnect = { settings: { enableConnectProtocol: true } };
const websocket: SendOptions = { method: "CONNECT", upgrade: "websocket", target: "/chat?a=b" };

describe.each(["http", "https"] as const)("an upgrade over HTTP/2 (%s)", (scheme) => {
  test("is an extended CONNECT, and passes bytes both ways, early ones first", async () => {
    const there = await bench.peer(scheme, withConnect);
    const call = bench.send(bench.client(there), { ...websocket, headers: [["Host", "a.test"], ["Sec-WebSocket-Version", "13"]] });
    const request = (await there.accept()).collect();
    expect(request.raw).toEqual([
      ":method", "CONNECT", ":scheme", scheme, ":authority", "a.test", ":path", "/chat?a=b", ":protocol", "websocket", "sec-websocket-version", "13",
    ]);
    request.stream.respond({ ":status": 200, "x-a": "1" });
    request.stream.write("early");
    const { head, tunnel } = await call.upgraded;
    expect([head.status, head.headers.get("x-a")]).toEqual([200, "1"]);
    await turns(5);
    const sink = new BodyCollector();
    tunnel.read(sink);
    tunnel.write(Buffer.from("hello"));
    await until(() => request.body === "hello");
    request.stream.end(" and late");
    expect((await sink.done).bytes.toString()).toBe("early and late");
    tunnel.write(Buffer.from(" still"));
    tunnel.end();
    await until(() => request.whole);
    expect(request.body).toBe("hello still");
  });

  test("passes on a half-close towards the destination", async () => {
    const there = await bench.peer(scheme, withConnect);
    const call = bench.send(bench.client(there), websocket);
    const request = (await there.accept()).collect();
    request.stream.respond({ ":status": 200 });
    const { tunnel } = await call.upgraded;
    const sink = new BodyCollector();
    tunnel.read(sink);
    tunnel.end();
    await until(() => request.whole);
    request.stream.end("late");
    expect((await sink.done).bytes.toString()).toBe("late");
  });

  test("that is declined gets an ordinary answer, and leaves the connection", async () => {
    const there = await bench.peer(scheme, withConnect);
    const one = bench.client(there);
    for (let i = 0; i < 2; i++) {
      const call = bench.send(one, websocket);
      (await there.accept()).answer(403, {}, "no");
      expect(await call.result).toMatchObject({ status: 403, body: "no" });
    }
    expect(there.sessions.length).toBe(1);
  });

  test("is refused before anything is sent where the destination takes no extended CONNECT", async () => {
    const there = await bench.peer(scheme);
    const one = bench.client(there);
    const call = bench.send(one, websocket);
    expect(await call.failure).toMatchObject({ versionUnavailable: true, requestSent: false });
    expect(there.streams.length).toBe(0);
  });

  test("tells a cut, and cuts", async () => {
    const there = await bench.peer(scheme, withConnect);
    const one = bench.client(there);
    for (const side of ["reset", "connection", "client"]) {
      const call = bench.send(one, websocket);
      const request = (await there.accept()).collect();
      request.stream.respond({ ":status": 200 });
      const { tunnel } = await call.upgraded;
      const sink = new BodyCollector();
      tunnel.read(sink);
      if (side === "client") {
        tunnel.abort(new Error("enough"));
        expect(await request.reset()).toBe(constants.NGHTTP2_INTERNAL_ERROR);
        expect(request.whole).toBe(false);
      } else {
        if (side === "reset") resetStream(request.stream, constants.NGHTTP2_CANCEL);
        else there.sockets.at(-1)?.destroy();
        await expect(sink.done).rejects.toBeInstanceOf(Error);
      }
      tunnel.write(Buffer.from("late"));
      tunnel.end();
      tunnel.abort(new Error("late"));
      await turns(2);
      expect(sink.finals).toBeLessThanOrEqual(1);
    }
  });

  test("has backpressure both ways", async () => {
    const there = await bench.peer(scheme, { ...withConnect, maxSessionMemory: 1000 });
    const call = bench.send(bench.client(there), websocket);
    const request = await there.accept();
    request.stream.respond({ ":status": 200 });
    const { tunnel } = await call.upgraded;
    const total = 16 * 1024 * 1024;
    const sink = new BodyCollector();
    const onData = sink.onData.bind(sink);
    sink.onData = (chunk) => {
      sink.chunks.length = 0;
      if (sink.size === 0) tunnel.pause();
      return onData(chunk);
    };
    tunnel.read(sink);
    request.stream.write(Buffer.alloc(total));
    await sink.first;
    const { size } = sink;
    await turns(100);
    expect(sink.size).toBe(size);
    tunnel.resume();
    await until(() => sink.size === total);

    const chunk = Buffer.alloc(1024 * 1024);
    let drained = false;
    tunnel.onDrain(() => {
      drained = true;
    });
    let written = 0;
    while (written < 64 && tunnel.write(chunk)) written++;
    expect(written).toBeLessThan(64);
    expect(tunnel.pending).toBeGreaterThan(0);
    request.collect(false);
    await until(() => drained);
    tunnel.abort(new Error("done"));
  });
});

test.each([["without a body", true], ["with one", false]])("an upgrade that is declined %s leaves nothing open on our side", async (_how, end) => {
  const there = await bench.frames([[3, 1], [8, 1]]);
  const one = bench.client(there, { multipleHttp2Connections: false });
  const declined = bench.send(one, websocket);
  const connection = await there.accept();
  await connection.begun(1);
  // 403: indexed name of :status, literal value.
  connection.write(frameType.headers, end ? 5 : 4, 1, Buffer.from([0x08, 3, 0x34, 0x30, 0x33]));
  if (!end) connection.data(1, "no", true);
  expect(await declined.result).toMatchObject({ status: 403, body: end ? "" : "no" });
  const next = bench.send(one);
  await connection.begun(2);
  connection.head(3, true);
  await next.result;
});
