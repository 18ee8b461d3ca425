import { constants } from "node:http2";
import { describe, expect, test } from "vitest";
import { HeaderList } from "../../src/index.ts";
import { MemoryBody, turns, until } from "../contract/recorders.ts";
import { http2Bench } from "./bench.ts";

const bench = http2Bench();

describe.each(["http", "https"] as const)("a request over HTTP/2 (%s)", (scheme) => {
  test("goes out with its fields in order, repeated ones apart, their bytes kept, and none of HTTP/1.1's", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), {
      method: "PURGE",
      target: "/a%2Fb?c=d",
      headers: [
        ["X-b", "1"], ["Host", "a.test:81"], ["x-A", "caf\xe9"], ["Connection", "X-b"], ["Keep-Alive", "5"], ["Transfer-Encoding", "chunked"],
        ["X-B", "2"], ["TE", "trailers"], ["Upgrade", "h2c"], ["HTTP2-Settings", "x"], ["Content-Length", "9"], ["Cookie", "a=1; b=2"],
      ],
    });
    const request = await there.accept();
    expect(request.raw).toEqual([
      ":method", "PURGE", ":scheme", scheme, ":authority", "a.test:81", ":path", "/a%2Fb?c=d",
      "x-b", "1", "x-a", "caf\xe9", "x-b", "2", "te", "trailers", "cookie", "a=1; b=2",
    ]);
    expect(request.stream.endAfterHeaders).toBe(true);
    request.answer();
    expect((await call.result).body).toBe("ok");
    expect(call.progress).toBeGreaterThan(0);
  });

  test("without Host names the origin", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), { headers: [], method: "OPTIONS", target: "*" });
    const request = await there.accept();
    expect([request.headers[":authority"], request.headers[":path"]]).toEqual([`127.0.0.1:${there.port}`, "*"]);
    request.answer();
    await call.result;
  });

  test.each([
    ["of known length", ["hello", "world"], 10, "10"],
    ["of unknown length", ["hello", "world"], undefined, undefined],
    ["of length 0", [], 0, "0"],
  ] as const)("carries a body %s", async (_title, chunks, length, announced) => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), { body: new MemoryBody(chunks, { length }) });
    const request = (await there.accept()).collect();
    expect(request.headers["content-length"]).toBe(announced);
    await until(() => request.ended);
    expect([request.body, request.trailers]).toEqual([chunks.join(""), undefined]);
    request.answer();
    expect((await call.result).status).toBe(200);
  });

  test.each([undefined, 1])("carries trailers of its body (length %s)", async (length) => {
    const there = await bench.peer(scheme);
    const trailers = HeaderList.from([["X-Sum", "1"], ["Content-Length", "5"], ["x-sum", "2"]]);
    const call = bench.send(bench.client(there), {
      headers: [["Host", "a"], ["Trailer", "X-Sum"]],
      body: new MemoryBody(["a"], { trailers, length }),
    });
    const request = (await there.accept()).collect();
    await until(() => request.ended);
    expect([request.body, request.trailers]).toEqual(["a", ["x-sum", "1", "x-sum", "2"]]);
    request.answer();
    await call.result;
  });

  test("of GET keeps its body", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), { method: "GET", body: new MemoryBody(["hi"], { length: 2 }) });
    const request = (await there.accept()).collect();
    await until(() => request.ended);
    expect(request.body).toBe("hi");
    request.answer();
    await call.result;
  });

  test("holds its body back while the destination does not read, and tells each step", async () => {
    const there = await bench.peer(scheme);
    const count = 512;
    const size = 64 * 1024;
    const body = new MemoryBody(Array.from({ length: count }, () => Buffer.alloc(size)), { length: count * size });
    const call = bench.send(bench.client(there), { body });
    const request = await there.accept();
    let last = -1;
    while (last !== body.delivered) {
      last = body.delivered;
      await turns(50);
    }
    expect(body.delivered).toBeLessThan(64);
    const { progress } = call;
    request.collect(false);
    await until(() => request.size === count * size);
    expect(call.progress).toBeGreaterThan(progress);
    request.answer();
    expect((await call.result).body).toBe("ok");
  });

  test("with expectContinue sends its body after 100", async () => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["hello"], { length: 5 });
    const call = bench.send(bench.client(there), { body, expectContinue: true });
    const request = (await there.accept()).collect();
    expect(request.headers.expect).toBe("100-continue");
    await turns(10);
    expect([body.delivered, request.size]).toEqual([0, 0]);
    request.stream.additionalHeaders({ ":status": 100 });
    await until(() => request.ended);
    request.answer();
    expect((await call.result).status).toBe(200);
    expect(request.body).toBe("hello");
  });

  test("with expectContinue sends its body after a second without an answer", async () => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), { body: new MemoryBody(["hello"], { length: 5 }), expectContinue: true });
    const request = (await there.accept()).collect();
    await until(() => request.ended);
    request.answer();
    expect((await call.result).status).toBe(200);
  });

  test.each(["", "no"])("with expectContinue never reads its body when the final answer comes first (body %j)", async (text) => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["hello"], { length: 5 });
    const call = bench.send(bench.client(there), { body, expectContinue: true });
    const request = await there.accept();
    if (text === "") request.stream.respond({ ":status": 417 }, { endStream: true });
    else request.answer(417, {}, text);
    expect(await call.result).toMatchObject({ status: 417, body: text });
    expect([body.delivered, body.cancelled]).toEqual([0, true]);
    await request.reset();
    expect(request.size).toBe(0);
  });

  test("whose body breaks off is an error of the client, and its stream is reset", async () => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["part"], { length: 10, held: true });
    const call = bench.send(bench.client(there), { body });
    const request = (await there.accept()).collect();
    await until(() => request.size === 4);
    body.fail(new Error("client left"));
    expect(await call.failure).toMatchObject({ step: "request-body", source: "client", requestSent: true });
    expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
    expect(request.whole).toBe(false);
  });

  test.each([[["short"]], [["much", "too", "long"]]])("whose body has not its announced length (%j) is never completed", async (chunks) => {
    const there = await bench.peer(scheme);
    const call = bench.send(bench.client(there), { body: new MemoryBody(chunks, { length: 8 }) });
    const request = (await there.accept()).collect();
    expect(await call.failure).toMatchObject({ step: "request-body", source: "client" });
    expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
    expect(request.size).toBeLessThanOrEqual(8);
    expect(request.whole).toBe(false);
  });

  test("goes on with its body after the answer is whole", async () => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["part", "rest"], { held: true });
    const call = bench.send(bench.client(there), { body });
    const request = (await there.accept()).collect();
    request.answer();
    expect((await call.result).body).toBe("ok");
    await until(() => request.size === 8);
    expect([body.cancelled, request.ended]).toEqual([false, false]);
    body.finish();
    await until(() => request.ended);
    expect(await request.reset()).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test("whose answer is whole gives its body up when the destination wants no more of it", async () => {
    const there = await bench.peer(scheme);
    const one = bench.client(there);
    for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
      const body = new MemoryBody(["part"], { held: true });
      const call = bench.send(one, { body });
      const request = (await there.accept()).collect();
      request.answer();
      await call.result;
      request.stream.close(code);
      await until(() => body.cancelled);
    }
  });

  test("whose answer is whole can still be given up", async () => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["part"], { held: true });
    const call = bench.send(bench.client(there), { body });
    const request = (await there.accept()).collect();
    request.answer();
    await call.result;
    call.call.abort(new Error("client left"));
    expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
    expect(body.cancelled).toBe(true);
  });

  test("answers and asks at the same time", async () => {
    const there = await bench.peer(scheme);
    const body = new MemoryBody(["ping"], { held: true });
    const call = bench.send(bench.client(there), { body });
    const request = (await there.accept()).collect();
    request.stream.respond({ ":status": 200 });
    request.stream.write("pong");
    await call.firstData;
    await until(() => request.body === "ping");
    body.finish();
    await until(() => request.ended);
    request.stream.end();
    expect((await call.result).body).toBe("pong");
  });
});

test.each([
  ["a method that is none", { method: "GE T" }],
  ["CONNECT", { method: "CONNECT" }],
  ["a target with a line feed", { target: "/\n" }],
  ["a target with a character above ASCII", { target: "/\u010a" }],
  ["a field value with a line feed", { headers: [["X-A", "1\n2"]] as const }],
  ["a field value with a NUL", { headers: [["X-A", "1\0:path"]] as const }],
  ["a field name that is none", { headers: [[":path", "/"]] as const }],
  ["two hosts", { headers: [["Host", "a"], ["host", "b"]] as const }],
])("a request with %s is not sent", async (_title, options) => {
  const there = await bench.peer("http");
  const body = new MemoryBody(["x"], { length: 1 });
  const call = bench.send(bench.client(there), { ...options, body });
  expect(await call.failure).toMatchObject({ source: "gateway", step: "request", requestSent: false });
  expect([body.started, there.sessions.length]).toEqual([false, 0]);
});

test("a trailer that cannot be written resets the stream", async () => {
  const there = await bench.peer("http");
  const call = bench.send(bench.client(there), { body: new MemoryBody(["a"], { trailers: HeaderList.from([["X", "1\r\n2"]]) }) });
  const request = (await there.accept()).collect();
  expect(await call.failure).toMatchObject({ source: "gateway", step: "request-body" });
  expect(await request.reset()).toBe(constants.NGHTTP2_CANCEL);
});
