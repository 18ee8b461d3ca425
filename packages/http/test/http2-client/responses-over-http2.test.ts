import { constants } from "node:http2";
import { describe, expect, test } from "vitest";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";
import { frameType } from "./frame-peer.ts";

const bench = http2Bench();

describe.each(["http", "https"] as const)("a response over HTTP/2 (%s)", (scheme) => {
  test("keeps its lines in order, repetition and bytes", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there));
    const request = await there.accept();
    request.stream.respond([":status", "299", "x-b", "1", "set-cookie", "a=1", "x-a", "caf\xe9", "set-cookie", "b=2", "x-empty", "", "date", "now"] as never);
    request.stream.end();
    const { head } = await call.result;
    expect([head.status, head.reason]).toEqual([299, undefined]);
    expect(head.headers.toRaw()).toEqual(["x-b", "1", "set-cookie", "a=1", "x-a", "caf\xe9", "set-cookie", "b=2", "x-empty", "", "date", "now"]);
  });

  test.each([
    ["without a body", "GET", 200, {}, undefined],
    ["with an empty body", "GET", 200, { "content-length": "0" }, ""],
    ["to HEAD with a length", "HEAD", 200, { "content-length": "5" }, undefined],
    ["204", "GET", 204, {}, undefined],
    ["304 with a length", "GET", 304, { "content-length": "5" }, undefined],
    ["of known length", "GET", 200, { "content-length": "5" }, "hello"],
    ["of unknown length", "GET", 200, {}, "hello"],
    ["421", "GET", 421, {}, "not me"],
  ] as const)("%s is whole, and its connection used again", async (_title, method, status, fields, body) => {
    const there = await bench.peer(scheme);
    const one = bench.client(there);
    for (let i = 0; i < 2; i++) {
      const call = bench.send(one, { method });
      const request = await there.accept();
      if (body === undefined) request.stream.respond({ ":status": status, ...fields }, { endStream: true });
      else request.answer(status, fields, body);
      expect(await call.result).toMatchObject({ status, body: body ?? "", trailers: undefined });
    }
    expect(there.sessions.length).toBe(1);
  });

  test("carries trailers, also without a body", async () => {
    const there = await bench.peer(scheme);
    const one = bench.client(there);
    for (const body of ["ok", ""]) {
      const call = bench.send(one);
      const { stream } = await there.accept();
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": ["1", "2"] }));
      stream.end(body);
      const { trailers } = await call.result;
      expect(trailers?.toRaw()).toEqual(["x-sum", "1", "x-sum", "2"]);
    }
  });

  test("may be preceded by informational ones", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there));
    const request = await there.accept();
    request.stream.additionalHeaders({ ":status": 103, link: ["</a>", "</b>"] });
    request.stream.additionalHeaders({ ":status": 102 });
    request.stream.additionalHeaders({ ":status": 100 });
    request.answer();
    expect((await call.result).body).toBe("ok");
    expect(call.informational.map(([status]) => status)).toEqual([103, 102, 100]);
    expect(call.informational[0]?.[1].getAll("link")).toEqual(["</a>", "</b>"]);
  });

  test("comes to nobody while it is paused", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there));
    const onData = call.onData.bind(call);
    let paused = false;
    let early = 0;
    call.onData = (chunk) => {
      if (paused) early++;
      paused = true;
      call.call.pause();
      setImmediate(() => {
        paused = false;
        call.call.resume();
      });
      return onData(chunk);
    };
    (await there.accept()).answer(200, {}, "a".repeat(500_000));
    expect((await call.result).body.length).toBe(500_000);
    expect(early).toBe(0);
  });

  test("is not read when it was paused before it came", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there));
    call.call.pause();
    (await there.accept()).answer();
    await call.responded;
    await turns(10);
    expect(call.size).toBe(0);
    call.call.resume();
    expect((await call.result).body).toBe("ok");
  });

  test("is left with the destination while it is paused, and does not hold others up", async () => {
    const total = 48 * 1024 * 1024;
    const there = await bench.peer(scheme, { maxSessionMemory: 1000 });
    const one = bench.client(there);
    const call = bench.send(one);
    const onData = call.onData.bind(call);
    let first = true;
    call.onData = (chunk) => {
      call.chunks.length = 0;
      if (first) call.call.pause();
      first = false;
      return onData(chunk);
    };
    const request = await there.accept();
    request.stream.respond({ ":status": 200, "content-length": String(total) });
    request.stream.end(Buffer.alloc(total));
    await call.firstData;
    await turns(100);
    expect(call.size).toBeLessThan(1024 * 1024);
    const other = bench.send(one, { target: "/other" });
    (await there.accept()).answer(200, {}, "b".repeat(1_000_000));
    expect((await other.result).body.length).toBe(1_000_000);
    expect(there.sessions.length).toBe(1);
    call.call.resume();
    await call.result;
    expect(call.size).toBe(total);
  });
});

describe("a failure over HTTP/2", () => {
  const codes = ["NGHTTP2_NO_ERROR", "NGHTTP2_INTERNAL_ERROR", "NGHTTP2_CANCEL", "NGHTTP2_ENHANCE_YOUR_CALM"] as const;
  for (const code of codes) {
    test(`by a reset with ${code.slice(8)} at each step`, async () => {
      const there = await bench.frames([]);
      const one = bench.client(there);
      for (const [step, expected] of [["sent", "request"], ["uploading", "request-body"], ["head", "response-body"], ["body", "response-body"]] as const) {
        const body = step === "uploading" ? new MemoryBody(["x"], { held: true }) : undefined;
        const call = bench.send(one, { body });
        const count = there.connections[0]?.requests.length ?? 0;
        const connection = there.connections[0] ?? (await there.accept());
        await connection.begun(count + 1);
        const id = connection.requests[count] as number;
        if (step === "uploading") await connection.frame(0, id);
        if (step === "head" || step === "body") connection.head(id);
        if (step === "head") await call.responded;
        if (step === "body") {
          connection.data(id, "part");
          await call.firstData;
        }
        connection.reset(id, constants[code]);
        expect(await call.failure).toMatchObject({ step: expected, source: "destination", requestSent: true, timedOut: false });
        if (body !== undefined) await until(() => body.cancelled);
      }
      expect(there.connections.length).toBe(1);
    });
  }

  test("by a reset with NO_ERROR while it is paused keeps no stream when the response is given up", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there, { idleTimeout: 20 }));
    const connection = await there.accept();
    await connection.begun(1);
    connection.head(1);
    await call.responded;
    call.call.pause();
    connection.data(1, "part");
    connection.reset(1, 0);
    // The client has seen the reset once it answers what came behind it.
    connection.write(frameType.ping, 0, 0, Buffer.alloc(8));
    await connection.frame(frameType.ping);
    call.call.abort(new Error("nobody waits for it"));
    // A connection with a stream on it is not idle.
    await until(() => there.open === 0);
  });

  test("by a reset with NO_ERROR while it is paused is no end", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    connection.head(1);
    await call.responded;
    call.call.pause();
    connection.data(1, "part");
    connection.reset(1, 0);
    await turns(20);
    call.call.resume();
    expect(await call.failure).toMatchObject({ step: "response-body" });
  });

  test("by a body that is not as long as it was said", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    // :status 200, content-length: 10
    connection.write(1, 4, 1, Buffer.from([0x88, 0x0f, 0x0d, 2, 0x31, 0x30]));
    connection.data(1, "short", true);
    expect(await call.failure).toMatchObject({ step: "response-body", source: "destination" });
  });

  test.each([
    ["a field that belongs to HTTP/1.1 connections", [0x88, 0, 10, ...Buffer.from("connection"), 1, 0x78]],
    ["a field name in capitals", [0x88, 0, 3, ...Buffer.from("X-A"), 1, 0x31]],
    ["no status", [0, 3, ...Buffer.from("x-a"), 1, 0x31]],
    ["status 101", [0x08, 3, ...Buffer.from("101")]],
  ])("by a head with %s", async (_title, bytes) => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    connection.write(1, 5, 1, Buffer.from(bytes));
    expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
    expect(call.head).toBeUndefined();
  });

  test.each([0x00, 0x0a, 0x0d, 0x1f, 0x7f])("by a field with the control character %d", async (character) => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    connection.write(1, 5, 1, Buffer.from([0x88, 0, 3, ...Buffer.from("x-a"), 3, 0x31, character, 0x32, 0, 3, ...Buffer.from("x-b"), 1, 0x31]));
    expect(await call.failure).toMatchObject({ step: "response-head", source: "destination", requestSent: true });
    expect(call.head).toBeUndefined();
    expect((await connection.frame(3, 1)).payload.readUInt32BE()).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  });

  test("never comes from blanks around values, which are trimmed", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    const fields = [["x-a", " 1"], ["x-b", "1 2\t"], ["x-c", " \t "]].flatMap(([name = "", value = ""]) => [0, 3, ...Buffer.from(name), value.length, ...Buffer.from(value)]);
    connection.write(1, 5, 1, Buffer.from([0x88, ...fields]));
    expect((await call.result).head.headers.toRaw()).toEqual(["x-a", "1", "x-b", "1 2", "x-c", ""]);
  });

  test("by interim responses without end", async () => {
    const there = await bench.frames([]);
    const call = bench.send(bench.client(there));
    const connection = await there.accept();
    await connection.begun(1);
    // :status 103
    for (let i = 0; i < 80; i++) connection.write(1, 4, 1, Buffer.from([0x08, 3, 0x31, 0x30, 0x33]));
    expect(await call.failure).toMatchObject({ step: "response-head", source: "destination" });
    expect(call.informational.length).toBe(64);
    expect((await connection.frame(3, 1)).payload.readUInt32BE()).toBe(constants.NGHTTP2_CANCEL);
  });

  test("by a head larger than the limit", async () => {
    const there = await bench.peer("http");
    const call = bench.send(bench.client(there, { maxResponseHeadersSize: 4096 }));
    (await there.accept()).answer(200, { "x-a": "a".repeat(8000) });
    expect(await call.failure).toMatchObject({ source: "destination", requestSent: true });
    expect(call.head).toBeUndefined();
  });

  test.each(["end", "reset", "garbage"])("by a connection that ends at each step (%s)", async (how) => {
    const there = await bench.frames([]);
    const one = bench.client(there);
    for (const step of ["sent", "head", "body"]) {
      const call = bench.send(one);
      const connection = await there.accept();
      await connection.begun(1);
      if (step !== "sent") connection.head(1);
      if (step === "head") await call.responded;
      if (step === "body") {
        connection.data(1, "part");
        await call.firstData;
      }
      if (how === "end") connection.socket.end();
      else if (how === "reset") connection.socket.resetAndDestroy();
      else connection.write(9, 0, 1, Buffer.alloc(20));
      expect(await call.failure).toMatchObject({ step: step === "sent" ? "request" : "response-body", source: "destination", requestSent: true });
    }
  });

  test("of the handler's own making: abort at each step resets the stream and leaves the connection", async () => {
    const there = await bench.peer("http");
    const one = bench.client(there);
    for (const step of ["sent", "head", "body"]) {
      const body = new MemoryBody(["x"], { length: 10, held: true });
      const call = bench.send(one, { body });
      const request = (await there.accept()).collect();
      await until(() => request.size === 1);
      if (step !== "sent") {
        request.stream.respond({ ":status": 200 });
        if (step === "body") request.stream.write("hello");
        await (step === "body" ? call.firstData : call.responded);
      }
      call.call.abort(new Error("client left"));
      call.call.abort(new Error("twice"));
      call.call.pause();
      call.call.resume();
      expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
      expect([request.whole, body.cancelled, call.finals]).toEqual([false, true, 0]);
    }
    expect(there.sessions.length).toBe(1);
  });

  test("of the handler's own making: a handler that throws ends its own request only", async () => {
    const there = await bench.peer("http");
    const one = bench.client(there);
    for (const step of ["onInformational", "onResponse", "onData"] as const) {
      const call = bench.send(one);
      const other = bench.send(one, { target: "/other" });
      call[step] = () => {
        throw new Error("no");
      };
      const request = await there.accept();
      request.stream.additionalHeaders({ ":status": 103 });
      request.stream.respond({ ":status": 200 });
      request.stream.write("part");
      expect(await call.failure).toMatchObject({ source: "gateway" });
      expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
      (await there.accept()).answer();
      expect((await other.result).body).toBe("ok");
    }
  });
});
