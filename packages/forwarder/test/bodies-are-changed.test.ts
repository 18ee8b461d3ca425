import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { brotliCompressSync, brotliDecompressSync, constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress, deflateSync, gunzipSync, gzipSync, inflateSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HeaderList } from "@proxy/http";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
// @boundaries-ignore the suite lives with its interface
import { MemoryBody, settled, until } from "../../http/test/contract/recorders.ts";
import { addBodyTransform, BodyContentError, type BodyTransform, forward, type Transformer } from "../src/index.ts";
import { FakeExchange, type FakeExchangeOptions } from "./doubles/fake-exchange.ts";
import { describeGateways } from "./doubles/gateway.ts";
import { ScriptedClient } from "./doubles/scripted-client.ts";

const prefix = "http://destination.example";
const upper = (): BodyTransform => ({
  chunk: (chunk) => Buffer.from(Buffer.from(chunk).toString("latin1").toUpperCase(), "latin1"),
  end: () => Buffer.from("!"),
});
const changing = (make: () => BodyTransform, limit?: number): Transformer => ({
  request: (_, outgoing) => addBodyTransform(outgoing, make(), limit),
  response: (_, client) => addBodyTransform(client, make(), limit),
});

function send(transformer: Transformer, options: FakeExchangeOptions = {}) {
  const exchange = new FakeExchange(options);
  const client = new ScriptedClient();
  const outcome = forward(exchange, prefix, client, { transformer });
  return { exchange, client, outcome };
}

const codings: readonly [string, (data: Buffer) => Buffer, (data: Buffer) => Buffer][] = [
  ["gzip", gzipSync, gunzipSync],
  ["deflate", deflateSync, inflateSync],
  ["br", brotliCompressSync, brotliDecompressSync],
  ["zstd", zstdCompressSync, zstdDecompressSync],
];

describe("a response", () => {
  test("goes out changed, without what was true of its bytes only", async () => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200, [
      ["Content-Length", "4"],
      ["ETag", '"a"'],
      ["Content-MD5", "x"],
      ["Content-Digest", "sha-256=:x:"],
      ["Accept-Ranges", "bytes"],
      ["X-Kept", "1"],
    ]);
    client.call.data("ab");
    client.call.data("cd");
    client.call.end([["Repr-Digest", "x"], ["X-Sum", "1"]]);
    expect(await outcome).toBeUndefined();
    const { response } = exchange;
    expect([...(response.head?.headers ?? [])]).toEqual([["ETag", 'W/"a"'], ["X-Kept", "1"]]);
    expect([response.body, response.whole, [...(response.trailers ?? [])]]).toEqual(["ABCD!", true, [["X-Sum", "1"]]]);
  });

  test.each(codings)("in %s is decoded and encoded again, wherever its bytes are split", async (name, encode, decode) => {
    const encoded = encode(Buffer.from("hello ".repeat(500)));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: encoded.length }), { maxLength: 5 }), async (cuts) => {
        const { exchange, client, outcome } = send(changing(upper));
        client.call.respond(200, [["Content-Encoding", name], ["Content-Length", String(encoded.length)]]);
        let from = 0;
        for (const cut of [...new Set(cuts), encoded.length].sort((a, b) => a - b)) {
          if (cut > from) client.call.data(encoded.subarray(from, cut).toString("latin1"));
          from = cut;
        }
        client.call.end();
        expect(await outcome).toBeUndefined();
        const { response } = exchange;
        expect(response.head?.headers.get("content-encoding")).toBe(name);
        expect(decode(Buffer.concat(response.chunks)).toString()).toBe(`${"HELLO ".repeat(500)}!`);
      }),
      { numRuns: 15 },
    );
  });

  test("in zstd is refused where its window takes more memory than a content coding may", async () => {
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_compressionLevel]: 1 } });
    const chunks: Buffer[] = [];
    compress.on("data", (chunk: Buffer) => void chunks.push(chunk));
    // Flushed, so that the frame does not know how short it is.
    compress.write("hello");
    await new Promise<void>((resolve) => compress.flush(constants.ZSTD_e_flush, resolve));
    compress.end();
    await once(compress, "end");
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200, [["Content-Encoding", "zstd"]]);
    client.call.data(Buffer.concat(chunks).toString("latin1"));
    client.call.end();
    expect(await outcome).toMatchObject({ code: "ResponseBodyDestination", source: "destination" });
    expect(exchange.response.head?.status).toBe(502);
  });

  test("loses its coding where a transform takes the field away", async () => {
    const { exchange, client, outcome } = send({
      response: (_, response) => {
        addBodyTransform(response, upper());
        response.headers.remove("content-encoding");
      },
    });
    client.call.respond(200, [["Content-Encoding", "gzip"]]);
    client.call.data(gzipSync("abc").toString("latin1"));
    client.call.end();
    await outcome;
    expect(exchange.response.body).toBe("ABC!");
  });

  test.each([
    ["a part", 206, [["Content-Range", "bytes 0-1/9"], ["Content-Length", "2"]] as const, "ab"],
    ["nothing at all", 200, [["ETag", 'W/"a"']] as const, ""],
  ])("of %s stays as it is", async (_, status, fields, body) => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(status, fields);
    if (body !== "") client.call.data(body);
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect([exchange.response.body, ...(exchange.response.head?.headers ?? [])]).toEqual([body, ...fields]);
  });

  test.each([
    ["in an unknown coding", [["Content-Encoding", "compress"]] as const, "x", "ResponseHeaders"],
    ["in three codings", [["Content-Encoding", "gzip, br, gzip"]] as const, "x", "ResponseHeaders"],
    ["not in its coding", [["Content-Encoding", "gzip"]] as const, "not gzip", "ResponseBodyDestination"],
    ["cut off in its coding", [["Content-Encoding", "gzip"]] as const, gzipSync("abcdef").subarray(0, 15).toString("latin1"), "ResponseBodyDestination"],
    ["too large when decoded", [["Content-Encoding", "br"]] as const, brotliCompressSync(Buffer.alloc(100_000)).toString("latin1"), "ResponseBodyDestination"],
  ])("%s is a 502 while that can be said", async (_, fields, body, code) => {
    const late: BodyTransform = { chunk: () => undefined, end: () => undefined };
    const { exchange, client, outcome } = send(changing(() => late, 50_000));
    client.call.respond(200, fields);
    client.call.data(body);
    client.call.end();
    const error = await outcome;
    expect([error?.code, error?.source, exchange.response.head?.status, exchange.response.body]).toEqual([code, "destination", 502, ""]);
  });

  test("never ends cleanly when a transform fails in its middle, or rejects", async () => {
    for (const fail of [() => { throw new Error("no"); }, () => Promise.reject(new Error("no"))]) {
      let calls = 0;
      const { exchange, client, outcome } = send(changing(() => ({ chunk: (chunk) => (++calls > 1 ? fail() : chunk), end: () => undefined })));
      client.call.respond(200);
      client.call.data("one");
      await until(() => exchange.response.body === "one");
      client.call.data("two");
      const error = await outcome;
      expect([error?.code, error?.source]).toEqual(["ResponseBodyClient", "gateway"]);
      expect([exchange.response.whole, exchange.response.aborted]).toEqual([false, error]);
      expect(client.call.aborted).toBe(error);
    }
  });

  test("that breaks off at the destination breaks off at the client", async () => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200);
    client.call.data("one");
    await until(() => exchange.response.body === "ONE");
    client.call.fail("gone", { step: "response-body" });
    expect((await outcome)?.code).toBe("ResponseBodyDestination");
    expect(exchange.response.aborted).toBeDefined();
  });

  test("waits for a client that does not read, and for a transform that takes its time", async () => {
    let go: (() => void) | undefined;
    const slow: BodyTransform = { chunk: (chunk) => new Promise((resolve) => (go = () => resolve(chunk))), end: () => undefined };
    const { exchange, client, outcome } = send(changing(() => slow), { capacity: 10 });
    client.call.respond(200);
    const piece = "x".repeat(65_536);
    for (let i = 0; i < 4; i++) client.call.data(piece);
    expect(client.call.paused).toBe(true);
    for (let sent = 0; sent < 4; sent++) {
      await until(() => go !== undefined);
      const next = go;
      go = undefined;
      next?.();
      await until(() => exchange.response.chunks.length === sent + 1);
      exchange.response.drain();
    }
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect([client.call.paused, exchange.response.body.length]).toEqual([false, 4 * 65_536]);
  });

  test("to HEAD has the head that GET would have", async () => {
    const { exchange, client, outcome } = send(changing(upper), { method: "HEAD" });
    client.call.respond(200, [["Content-Length", "4"], ["ETag", '"a"'], ["Content-Encoding", "gzip"]]);
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect([exchange.response.body, ...(exchange.response.head?.headers ?? [])]).toEqual(["", ["ETag", 'W/"a"'], ["Content-Encoding", "gzip"]]);
  });

  test.each(codings)("of events in %s passes on each as it comes", async (name, encode) => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200, [["Content-Type", "text/event-stream"], ["Content-Encoding", name]]);
    expect([exchange.response.started, exchange.response.flushes]).toEqual([true, 1]);
    const encoded = encode(Buffer.from("data: 1\n\n"));
    client.call.data(encoded.toString("latin1"));
    // Before the end: nothing is held back to compress it better.
    await until(() => exchange.response.chunks.length > 0 && Buffer.concat(exchange.response.chunks).length > 10);
    client.call.end();
    expect(await outcome).toBeUndefined();
  });

  test.each([
    ["gzip", () => createGzip(), constants.Z_SYNC_FLUSH, (data: Buffer) => gunzipSync(data, { finishFlush: constants.Z_SYNC_FLUSH })],
    ["br", () => createBrotliCompress(), constants.BROTLI_OPERATION_FLUSH, (data: Buffer) => brotliDecompressSync(data, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
    ["zstd", () => createZstdCompress(), constants.ZSTD_e_flush, (data: Buffer) => zstdDecompressSync(data, { finishFlush: constants.ZSTD_e_flush })],
  ] as const)("that pauses in %s does not keep what came before it", async (name, create, kind, decode) => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200, [["Content-Type", "text/html"], ["Content-Encoding", name]]);
    const compress = create();
    compress.on("data", (chunk: Buffer) => client.call.data(chunk.toString("latin1")));
    const received = (): string => decode(Buffer.concat(exchange.response.chunks)).toString();
    for (const part of ["one", "two"]) {
      compress.write(part);
      compress.flush(kind);
      await until(() => exchange.response.chunks.length > 0 && received().endsWith(part.toUpperCase()));
    }
    compress.end();
    await once(compress, "end");
    client.call.end();
    expect(await outcome).toBeUndefined();
    expect(received()).toBe("ONETWO!");
  });

  test("that pauses in two codings does not keep what came before it either", async () => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200, [["Content-Type", "text/html"], ["Content-Encoding", "gzip, deflate"]]);
    const inner = createGzip();
    const outer = createDeflate();
    outer.on("data", (chunk: Buffer) => client.call.data(chunk.toString("latin1")));
    inner.on("data", (chunk: Buffer) => {
      outer.write(chunk);
      outer.flush(constants.Z_SYNC_FLUSH);
    });
    inner.write("one");
    inner.flush(constants.Z_SYNC_FLUSH);
    const finishFlush = constants.Z_SYNC_FLUSH;
    const received = (): string => gunzipSync(inflateSync(Buffer.concat(exchange.response.chunks), { finishFlush }), { finishFlush }).toString();
    await until(() => Buffer.concat(exchange.response.chunks).length > 12 && received() === "ONE");
    exchange.leave(new Error("left"));
    expect((await outcome)?.code).toBe("ResponseBodyClient");
  });

  test("whose receiver throws is broken off", async () => {
    const { exchange, client, outcome } = send(changing(upper));
    exchange.response.write = () => {
      throw new Error("no");
    };
    client.call.respond(200);
    client.call.data("one");
    expect((await outcome)?.code).toBe("ResponseBodyClient");
    expect(exchange.response.aborted).toBeDefined();
  });

  test("of a client that leaves is given up", async () => {
    const { exchange, client, outcome } = send(changing(upper));
    client.call.respond(200);
    client.call.data("one");
    exchange.leave(new Error("left"));
    expect((await outcome)?.code).toBe("ResponseBodyClient");
    expect(client.call.aborted).toBeDefined();
  });
});

describe("a request", () => {
  const post = (chunks: readonly (Uint8Array | string)[], headers: readonly [string, string][] = [], length?: number): FakeExchangeOptions => ({
    method: "POST",
    headers,
    body: new MemoryBody(chunks, { length, trailers: HeaderList.from([["X-Sum", "1"], ["Content-Digest", "x"]]) }),
  });

  test("goes out changed, of unknown length", async () => {
    const { client, outcome } = send(changing(upper), post(["ab", "cd"], [["Content-MD5", "x"], ["X-Kept", "1"]], 4));
    const { call } = client;
    expect([call.request.body?.length, call.request.headers.has("content-md5"), call.request.headers.get("x-kept")]).toEqual([undefined, false, "1"]);
    call.readBody();
    await until(() => call.bodyEnded);
    expect([call.body, [...(call.bodyTrailers ?? [])]]).toEqual(["ABCD!", [["X-Sum", "1"]]]);
    call.respond(204);
    call.end();
    expect(await outcome).toBeUndefined();
  });

  test.each(codings)("in %s is decoded and encoded again", async (name, encode, decode) => {
    const { client, outcome } = send(changing(upper), post([encode(Buffer.from("abc"))], [["Content-Encoding", name]]));
    const { call } = client;
    call.readBody();
    await until(() => call.bodyEnded);
    expect(decode(Buffer.concat(call.received)).toString()).toBe("ABC!");
    call.respond(204);
    call.end();
    expect(await outcome).toBeUndefined();
  });

  test("of length 0, or none, stays so", async () => {
    for (const options of [post([], [], 0), {}]) {
      const { client, outcome } = send(changing(upper), options);
      expect(client.call.request.body?.length).toBe("body" in options ? 0 : undefined);
      client.call.respond(204);
      client.call.end();
      expect(await outcome).toBeUndefined();
    }
  });

  test.each([
    ["an unknown coding", "compress", "x", 415, "RequestCreation"],
    ["not its coding", "gzip", "not gzip", 400, "RequestBodyClient"],
    ["too many bytes", "gzip", gzipSync(Buffer.alloc(100_000)), 413, "RequestBodyClient"],
  ])("with %s is refused", async (_, coding, body, status, code) => {
    const { exchange, client, outcome } = send(changing(upper, 50_000), post([body], [["Content-Encoding", coding]]));
    if (client.calls.length > 0) {
      client.call.readBody();
      await until(() => client.call.bodyError !== undefined);
      client.call.fail("body", { step: "request-body", source: "client" });
    }
    const error = await outcome;
    expect([error?.code, error?.source, exchange.response.head?.status]).toEqual([code, "client", status]);
  });

  test("whose transform fails is the gateway's fault, one whose content it refuses the client's", async () => {
    for (const [thrown, status, source] of [[new Error("no"), 502, "gateway"], [new BodyContentError(400, "no JSON"), 400, "client"]] as const) {
      const failing: BodyTransform = { chunk: () => { throw thrown; }, end: () => undefined };
      const { exchange, client, outcome } = send(changing(() => failing), post(["x"]));
      client.call.readBody();
      await until(() => client.call.bodyError !== undefined);
      client.call.fail("body", { step: "request-body", source: "client" });
      const error = await outcome;
      expect([error?.source, exchange.response.head?.status]).toEqual([source, status]);
    }
  });
});

describeGateways("changed bodies", (open) => {
  test("pass both ways over sockets, and the connection serves the next request", async () => {
    const gateway = await open({ transformer: changing(upper) });
    const client = await gateway.connect();
    for (let i = 0; i < 2; i++) {
      client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
      const connection = gateway.destination.connections[0] ?? (await gateway.destination.accept());
      const request = await connection.readUntil("0\r\n\r\n");
      expect(request.toLowerCase()).toContain("transfer-encoding: chunked");
      expect(request).toContain("ABC");
      connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      const response = await client.readResponse();
      expect([response.status, response.body.toString()]).toEqual([200, "OK!"]);
      expect(await gateway.outcome()).toBeUndefined();
    }
  });

  test("that break off in their content coding are cut, not ended", async () => {
    const gateway = await open({ transformer: changing(upper) });
    const client = await gateway.connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil("\r\n\r\n");
    // What cannot be compressed comes out before the end is missed.
    const encoded = gzipSync(randomBytes(400_000));
    connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n");
    connection.write(encoded.subarray(0, 300_000));
    connection.socket.end();
    const received = await client.readToEnd().catch(() => Buffer.alloc(0));
    expect(received.toString("latin1")).not.toMatch(/\r\n0\r\n\r\n$/);
    expect((await gateway.outcome())?.code).toBe("ResponseBodyDestination");
  });

  test("stop the destination where the client does not read, and pass as a whole when it does", async () => {
    const chunk = Buffer.alloc(65_536, "x");
    const total = 440;
    const gateway = await open({ transformer: changing(upper) });
    const client = await gateway.connect();
    client.socket.pause();
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const connection = await gateway.destination.accept();
    await connection.readUntil("\r\n\r\n");
    connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${chunk.length * total}\r\n\r\n`);
    for (let i = 0; i < total; i++) connection.write(chunk);
    await settled(() => connection.socket.writableLength);
    // Both socket buffers of the system, several MB each on loopback, and ours.
    expect(chunk.length * total - connection.socket.writableLength).toBeLessThan(20 * 1024 * 1024);
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (data: Buffer) => {
      received += data.length;
    });
    client.socket.resume();
    await until(() => received >= chunk.length * total);
    expect(await gateway.outcome()).toBeUndefined();
  });

  test("stop the client where the destination does not read, and pass as a whole when it does", async () => {
    const chunk = Buffer.alloc(65_536, "x");
    const total = 440;
    const gateway = await open({ transformer: changing(upper) });
    const client = await gateway.connect();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${chunk.length * total}\r\n\r\n`);
    client.write(chunk);
    const connection = await gateway.destination.accept();
    connection.socket.pause();
    for (let i = 1; i < total; i++) client.write(chunk);
    await settled(() => client.socket.writableLength);
    expect(chunk.length * total - client.socket.writableLength).toBeLessThan(20 * 1024 * 1024);
    let received = connection.pendingSize;
    connection.socket.removeAllListeners("data");
    connection.socket.on("data", (data: Buffer) => {
      received += data.length;
    });
    connection.socket.resume();
    await until(() => received >= chunk.length * total);
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect((await client.readResponse()).status).toBe(200);
    expect(await gateway.outcome()).toBeUndefined();
  });
});
