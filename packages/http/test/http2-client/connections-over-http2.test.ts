import { constants } from "node:http2";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";

const bench = http2Bench();
const maxConcurrentStreams = 3;

describe("a connection over HTTP/2", () => {
  test("carries many requests at once", async () => {
    const there = await bench.peer("https");
    const one = bench.client(there);
    const calls = Array.from({ length: 50 }, (_value, index) => bench.send(one, { target: `/${index}` }));
    await until(() => there.streams.length === 50);
    for (const request of there.streams.toReversed()) request.answer(200, {}, request.headers[":path"]);
    for (const [index, call] of calls.entries()) expect((await call.result).body).toBe(`/${index}`);
    expect(there.sessions.length).toBe(1);
  });

  test("takes as many streams as the destination allows; further ones get their own", async () => {
    const there = await bench.peer("http", { settings: { maxConcurrentStreams: 2 } });
    const one = bench.client(there);
    const calls = Array.from({ length: 5 }, () => bench.send(one));
    await until(() => there.streams.length === 5);
    expect(there.sessions.length).toBe(3);
    for (const request of there.streams) request.answer();
    for (const call of calls) await call.result;
    // The first one is enough now.
    const last = bench.send(one);
    const request = await until(() => there.streams.length === 6).then(() => there.streams[5]);
    expect(request?.stream.session).toBe(there.sessions[0]);
    request?.answer();
    await last.result;
  });

  test("is the only one where that is asked for: requests wait their turn, and bounds hold", async () => {
    const there = await bench.frames([[maxConcurrentStreams, 1]]);
    const one = bench.client(there, { multipleHttp2Connections: false, maxQueuedRequests: 2, queueTimeout: 60 });
    const first = bench.send(one);
    const connection = await there.accept();
    await connection.begun(1);
    const second = bench.send(one);
    const third = bench.send(one);
    expect(await bench.send(one).failure).toMatchObject({ step: "connect", overloaded: true, requestSent: false });
    connection.head(1, true);
    await first.result;
    await connection.begun(2);
    expect(await third.failure).toMatchObject({ step: "connect", timedOut: true, requestSent: false });
    connection.head(3, true);
    await second.result;
    expect([connection.requests, there.connections.length]).toEqual([[1, 3], 1]);
  });

  test("that allows no streams is waited for, not multiplied", async () => {
    const there = await bench.frames([[maxConcurrentStreams, 0]]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await turns(20);
    expect([connection.requests, there.connections.length]).toEqual([[], 1]);
    connection.settings([[maxConcurrentStreams, 1]]);
    await connection.begun(1);
    connection.head(1, true);
    await call.result;
  });

  test("that is waited for can be given up, and the body is left alone", async () => {
    const there = await bench.frames([[maxConcurrentStreams, 1]]);
    const one = bench.client(there, { multipleHttp2Connections: false });
    const first = bench.send(one);
    const connection = await there.accept();
    await connection.begun(1);
    const body = new MemoryBody(["x"], { length: 1 });
    const second = bench.send(one, { body });
    const third = bench.send(one);
    second.call.abort(new Error("client left"));
    connection.head(1, true);
    await first.result;
    await connection.begun(2);
    connection.head(3, true);
    await third.result;
    expect([body.started, second.finals]).toEqual([false, 0]);
  });

  test("that goes away finishes what it has begun; the rest goes out on a fresh one, whatever its method", async () => {
    const there = await bench.frames([]);
    const one = bench.client(there);
    const seen = bench.send(one);
    const old = await there.accept();
    await old.begun(1);
    const body = new MemoryBody(["x"], { length: 1 });
    const unseen = bench.send(one, { method: "POST", expectContinue: true, body });
    await old.begun(2);
    old.goaway(1);
    const fresh = await there.accept();
    await fresh.begun(1);
    fresh.head(1, true);
    expect((await unseen.result).status).toBe(200);
    old.head(1);
    old.data(1, "late", true);
    expect((await seen.result).body).toBe("late");
    await until(() => old.socket.readableEnded || old.socket.destroyed);
    expect(there.connections.length).toBe(2);
  });

  test.each(["POST", "PUT"])("that goes away gives a request back whose body was empty: all of it is in its head (%s)", async (method) => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there), { method, body: new MemoryBody([], { length: 0 }) });
    const old = await there.accept();
    await old.begun(1);
    await turns(5);
    old.goaway(0);
    const fresh = await there.accept();
    await fresh.begun(1);
    expect((fresh.frames.find(({ stream }) => stream === 1)?.flags ?? 0) & 1).toBe(1);
    fresh.head(1, true);
    expect((await call.result).status).toBe(200);
    expect([old.requests, fresh.requests]).toEqual([[1], [1]]);
  });

  test("that goes away with an error: what was not looked at goes out again, the rest fails", async () => {
    const there = await bench.frames([]);
    const one = bench.client(there);
    const seen = bench.send(one);
    const old = await there.accept();
    const unseen = bench.send(one, { method: "POST" });
    await old.begun(2);
    old.goaway(1, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await seen.failure).toMatchObject({ step: "request", requestSent: true });
    const fresh = await there.accept();
    await fresh.begun(1);
    fresh.head(1, true);
    await unseen.result;
  });

  test("whose GOAWAY meets a body that was begun cannot be made good: the body is gone", async () => {
    const there = await bench.frames([]);
    const body = new MemoryBody(["x"], { held: true });
    const call = bench.send(bench.client(there), { body });
    const connection = await there.accept();
    await connection.frame(0, 1);
    connection.goaway(0);
    expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
    expect(there.connections.length).toBe(1);
  });

  test("that answers a request and then says it has not looked at it gets it no second time", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    connection.head(1);
    await call.responded;
    connection.goaway(0);
    expect(await call.failure).toMatchObject({ step: "response-body", requestSent: true });
    expect(there.connections.length).toBe(1);
  });

  test("that refuses a stream gets it once more, and then no more", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there), { method: "POST" });
    const connection = await there.accept();
    for (const [count, id] of [[1, 1], [2, 3]] as const) {
      await connection.begun(count);
      connection.reset(id, constants.NGHTTP2_REFUSED_STREAM);
    }
    expect(await call.failure).toMatchObject({ step: "request", requestSent: false });
    expect(connection.requests).toEqual([1, 3]);
  });

  test("that was used before and is dead gives idempotent requests a fresh one, and others an error", async () => {
    const there = await bench.frames([]);
    const one = bench.client(there);
    for (const method of ["GET", "POST"]) {
      const first = bench.send(one);
      const old = await there.accept();
      await old.begun(1);
      old.head(1, true);
      await first.result;
      const second = bench.send(one, { method });
      await old.begun(2);
      old.socket.resetAndDestroy();
      if (method === "POST") {
        expect(await second.failure).toMatchObject({ step: "request", requestSent: true });
      } else {
        const fresh = await there.accept();
        await fresh.begun(1);
        fresh.head(1, true);
        await second.result;
        fresh.socket.destroy();
        await until(() => fresh.socket.destroyed);
        await turns(3);
      }
    }
  });

  test("that says nothing any more is found out when a request on it is given up", async () => {
    let time = 0;
    const there = await bench.frames([]);
    const one = bench.client(there, { now: () => time } as object);
    const call = bench.send(one);
    const old = await there.accept();
    await old.begun(1);
    call.call.abort(new Error("took too long"));
    await old.frame(6);
    time += 30_000;
    await until(() => old.socket.destroyed || old.socket.readableEnded);
    const next = bench.send(one);
    const fresh = await there.accept();
    await fresh.begun(1);
    fresh.head(1, true);
    await next.result;
  });

  test("is closed when it idled too long", async () => {
    const there = await bench.peer("http");
    const call = bench.send(bench.client(there, { idleTimeout: 30 }));
    (await there.accept()).answer();
    await call.result;
    await until(() => there.open === 0);
  });

  test("is not used for ever, and is not cut while it is used", async () => {
    const there = await bench.peer("http");
    const one = bench.client(there, { connectionLifetime: 50 });
    const long = bench.send(one);
    const held = await there.accept();
    while (there.sessions.length < 2) {
      const call = bench.send(one);
      (await there.accept()).answer();
      await call.result;
      await turns(5);
    }
    held.answer();
    expect((await long.result).body).toBe("ok");
    await until(() => there.sessions[0]?.closed === true || there.sessions[0]?.destroyed === true);
  });

  test("is closed by close() when its requests are done", async () => {
    const there = await bench.peer("https");
    const one = bench.client(there);
    const busy = bench.send(one);
    const request = await there.accept();
    let closed = false;
    const closing = one.close().then(() => {
      closed = true;
    });
    expect(await bench.send(one).failure).toMatchObject({ requestSent: false });
    await turns(10);
    expect(closed).toBe(false);
    request.answer();
    await busy.result;
    await closing;
    expect(there.open).toBe(0);
  });

  test("is cut by destroy(), and its requests fail", async () => {
    const there = await bench.peer("https");
    const one = bench.client(there);
    const body = new MemoryBody(["x"], { length: 10, held: true });
    const call = bench.send(one, { body });
    await there.accept();
    await until(() => body.delivered === 1);
    one.destroy(new Error("shut down"));
    expect(call.error).toMatchObject({ source: "gateway", requestSent: true });
    await until(() => body.cancelled && there.open === 0);
    await one.close();
  });

  test("is cut by destroy() once and for all: what was on it is not sent again", async () => {
    const there = await bench.frames([]);
    const one = bench.client(there);
    const first = bench.send(one);
    const connection = await there.accept();
    await connection.begun(1);
    connection.head(1, true);
    await first.result;
    const cut = bench.send(one);
    await connection.begun(2);
    one.destroy(new Error("shut down"));
    expect(cut.error).toMatchObject({ step: "request", source: "gateway", requestSent: true });
    await one.close();
    expect(there.connections.length).toBe(1);
  });

  test("is closed by close() when nobody waits any more for a stream of it", async () => {
    const there = await bench.frames([[maxConcurrentStreams, 0]]);
    const one = bench.client(there, { queueTimeout: 60 });
    const waiting = bench.send(one);
    const expiring = bench.send(one);
    await there.accept();
    await turns(20);
    const closing = one.close();
    waiting.call.abort(new Error("client left"));
    expect(await expiring.failure).toMatchObject({ timedOut: true });
    await closing;

    const other = bench.client(there);
    const left = bench.send(other);
    await there.accept();
    await turns(20);
    const closingToo = other.close();
    left.call.abort(new Error("client left"));
    await closingToo;
    expect(left.finals).toBe(0);
  });

  test("is asked for a sign of life once, until it has answered another request or minutes went by: gRPC ends connections for more", async () => {
    let time = 0;
    const there = await bench.frames([]);
    const one = bench.client(there, { now: () => time, idleTimeout: Infinity, connectionLifetime: Infinity } as object);
    const first = bench.send(one);
    const old = await there.accept();
    await old.begun(1);
    old.head(1, true);
    await first.result;

    const count = (flags: number): number => old.frames.filter((frame) => frame.type === 6 && frame.flags === flags).length;
    // What was written before it came has come when it is answered.
    const fence = async (): Promise<void> => {
      const before = count(1);
      old.write(6, 0, 0, Buffer.alloc(8));
      await until(() => count(1) > before);
    };
    let answered = 0;
    const pingsAfterGivingUp = async (): Promise<number> => {
      const begun = old.requests.length;
      const call = bench.send(one);
      await old.begun(begun + 1);
      call.call.abort(new Error("took too long"));
      await fence();
      for (; answered < count(0); answered++) old.write(6, 1, 0, Buffer.from("anybody?"));
      await fence();
      return count(0);
    };
    for (let i = 0; i < 4; i++) expect(await pingsAfterGivingUp()).toBe(1);

    const fine = bench.send(one);
    await old.begun(6);
    old.head(old.requests.at(-1) as number, true);
    await fine.result;
    for (let i = 0; i < 4; i++) expect(await pingsAfterGivingUp()).toBe(2);

    time += 400_000;
    while ((await pingsAfterGivingUp()) < 3);
    expect(await pingsAfterGivingUp()).toBe(3);
  });

  test("that is refused sent nothing", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const body = new MemoryBody(["x"], { length: 1 });
    const one = bench.client({ origin: { scheme: "http", host: "127.0.0.1", port } });
    const calls = [bench.send(one, { body }), bench.send(one)];
    for (const call of calls) {
      expect(await call.failure).toMatchObject({ step: "connect", source: "destination", requestSent: false, timedOut: false });
    }
    expect([body.started, body.cancelled]).toEqual([false, false]);
  });

  test("whose SETTINGS never come is given up in time", async () => {
    const there = await bench.frames();
    const call = bench.send(bench.client(there, { connectTimeout: 40 }));
    expect(await call.failure).toMatchObject({ step: "connect", timedOut: true, requestSent: false });
  });

  test("to what is no HTTP/2 at all is an error before anything of the request was sent", async () => {
    const there = await bench.frames();
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    connection.socket.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    expect(await call.failure).toMatchObject({ step: "connect", source: "destination", requestSent: false });
  });
});
