import { get, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { brotliDecompressSync, createGunzip, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CompressionPolicyConfig, RouteConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange, type FakeRequest } from "../../pipeline/test/support/fake-exchange.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { nodeDestination, serve } from "../../pipeline/test/support/serving.ts";
import { CompressedExchange, CompressorRoom } from "../src/compression/compressed-exchange.ts";
import { compileCompressionPolicy } from "../src/compression/compression-policy.ts";
import { createEdgePolicies } from "../src/index.ts";
import { configOf, edgeProxy } from "./proxies.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function gateway(listener: RequestListener, policy: Omit<CompressionPolicyConfig, "name"> = {}, route: Partial<RouteConfig> = {}): Promise<number> {
  const destination = await nodeDestination(listener);
  open.push(destination);
  const served = await serve({
    config: {
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}/` } } } },
      policies: { compression: { Default: policy } },
    },
    extensions: [createEdgePolicies()],
  });
  open.push(served);
  return served.port;
}

function ask(port: number, headers: Record<string, string> = {}, method = "GET"): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = get({ port, host: "127.0.0.1", headers, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
  });
}

const text = "compress me, ".repeat(20_000);
const textual: RequestListener = (_request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": text.length, ETag: '"v1"', "Accept-Ranges": "bytes" });
  response.end(text);
};

describe("answers", () => {
  it("are in the coding that the client prefers, otherwise the gateway", async () => {
    const port = await gateway(textual);
    for (const [accept, coding, decode] of [
      ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
      ["gzip;q=1, br;q=0.5", "gzip", gunzipSync],
      ["zstd, gzip", "zstd", zstdDecompressSync],
      ["*", "br", brotliDecompressSync],
    ] as const) {
      const { headers, body } = await ask(port, { "Accept-Encoding": accept });
      expect(headers["content-encoding"], accept).toBe(coding);
      expect(decode(body).toString()).toBe(text);
      expect(body.length).toBeLessThan(text.length / 10);
      expect([headers.vary, headers.etag, headers["content-length"], headers["accept-ranges"]]).toEqual(["Accept-Encoding", 'W/"v1"', undefined, undefined]);
    }
  });

  it("stay as they are for clients that do not ask, with Vary", async () => {
    const port = await gateway(textual);
    for (const headers of [{}, { "Accept-Encoding": "identity" }, { "Accept-Encoding": "gzip;q=0, br;q=0, zstd;q=0" }, { "Accept-Encoding": "deflate" }]) {
      const answer = await ask(port, headers as Record<string, string>);
      expect([answer.headers["content-encoding"], answer.headers.vary, answer.headers.etag, answer.body.toString()]).toEqual([undefined, "Accept-Encoding", '"v1"', text]);
    }
    expect((await ask(port, {}, "HEAD")).headers["content-length"]).toBe(String(text.length));
  });

  it("are never compressed twice, nor what is not to be touched, no text, a part, or too small", async () => {
    const answers: Record<string, [number, Record<string, string>, Buffer]> = {
      gzip: [200, { "Content-Type": "text/plain", "Content-Encoding": "gzip" }, gzipSync(text)],
      image: [200, { "Content-Type": "image/png" }, Buffer.from(text)],
      untouched: [200, { "Content-Type": "text/plain", "Cache-Control": "public, No-Transform" }, Buffer.from(text)],
      part: [206, { "Content-Type": "text/plain", "Content-Range": `bytes 0-${text.length - 1}/999999` }, Buffer.from(text)],
      small: [200, { "Content-Type": "text/plain" }, Buffer.from("small")],
    };
    const port = await gateway((request, response) => {
      const [status, headers, body] = answers[request.headers["x-case"] as string] as (typeof answers)[string];
      response.writeHead(status, { ...headers, "Content-Length": body.length });
      response.end(body);
    });
    for (const [name, [, headers, body]] of Object.entries(answers)) {
      const answer = await ask(port, { "Accept-Encoding": "br, gzip", "X-Case": name });
      expect(answer.headers["content-encoding"], name).toBe(headers["Content-Encoding"]);
      expect(answer.body.equals(body), name).toBe(true);
    }
  });

  it("to HEAD have the fields of those to GET", async () => {
    const port = await gateway(textual);
    const [get, head] = [await ask(port, { "Accept-Encoding": "gzip" }), await ask(port, { "Accept-Encoding": "gzip" }, "HEAD")];
    expect(head.body.length).toBe(0);
    for (const name of ["content-encoding", "vary", "etag", "content-length", "accept-ranges", "content-type"] as const) expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
    const small = await gateway((_request, response) => response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 5 }).end("small"));
    expect((await ask(small, { "Accept-Encoding": "gzip" }, "HEAD")).headers).toMatchObject({ "content-length": "5", vary: "Accept-Encoding" });
    const own = await gateway(textual, {}, { clusterId: undefined, respond: { body: text } });
    expect((await ask(own, { "Accept-Encoding": "gzip" }, "HEAD")).headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
  });

  it("without content stay as they are: 204, 304", async () => {
    const port = await gateway((request, response) => response.writeHead(Number(request.headers["x-case"]), { "Content-Type": "text/plain", ETag: '"v1"' }).end());
    for (const status of ["204", "304"]) {
      const answer = await ask(port, { "Accept-Encoding": "gzip", "X-Case": status });
      expect([answer.status, answer.headers["content-encoding"], answer.headers.etag, answer.body.length]).toEqual([Number(status), undefined, '"v1"', 0]);
    }
  });

  it("in parts of a file are those of the file, and a tag of the compressed one asks for all", async () => {
    const port = await gateway((request, response) => {
      const isPart = request.headers.range !== undefined && (request.headers["if-range"] === undefined || request.headers["if-range"] === '"v1"');
      response.writeHead(isPart ? 206 : 200, { "Content-Type": "text/plain", ETag: '"v1"', ...(isPart ? { "Content-Range": `bytes 0-9/${text.length}` } : {}) });
      response.end(isPart ? text.slice(0, 10) : text);
    });
    const part = await ask(port, { "Accept-Encoding": "gzip", Range: "bytes=0-9" });
    expect([part.status, part.headers["content-encoding"], part.headers.etag, part.body.toString()]).toEqual([206, undefined, '"v1"', text.slice(0, 10)]);
    const whole = await ask(port, { "Accept-Encoding": "gzip", Range: "bytes=0-9", "If-Range": 'W/"v1"' });
    expect([whole.status, whole.headers["content-encoding"], gunzipSync(whole.body).toString()]).toEqual([200, "gzip", text]);
  });

  it("of the gateway itself are compressed too", async () => {
    const port = await gateway(textual, {}, { clusterId: undefined, respond: { body: text } });
    const { headers, body } = await ask(port, { "Accept-Encoding": "gzip" });
    expect(headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(body).toString()).toBe(text);
  });
});

describe("more answers than are compressed at a time", () => {
  it("leave as they are, until others are over: compressors do not fill the memory", async () => {
    const room = new CompressorRoom(2);
    const policy = compileCompressionPolicy({ name: "p", encodings: ["gzip"] });
    const begun = (method = "GET"): FakeExchange => {
      const exchange = new FakeExchange({ method, headers: [["Accept-Encoding", "gzip"]] });
      const { response } = new CompressedExchange(exchange, policy, room);
      response.start({ status: 200, headers: HeaderList.from([["Content-Type", "text/plain"], ["ETag", '"v1"']]) });
      response.write(Buffer.from("text"));
      return exchange;
    };
    const coding = ({ response }: FakeExchange): (string | undefined)[] => ["content-encoding", "etag", "vary"].map((key) => response.head?.headers.get(key));
    const compressed = ["gzip", 'W/"v1"', "Accept-Encoding"];
    const first = begun();
    expect(coding(first)).toEqual(compressed);
    expect(coding(begun())).toEqual(compressed);
    expect(room.isFull).toBe(true);
    const third = begun();
    expect(coding(third)).toEqual([undefined, '"v1"', "Accept-Encoding"]);
    expect(third.response.text).toBe("text");
    expect(coding(begun("HEAD"))).toEqual(compressed);
    first.leave();
    await vi.waitFor(() => expect(room.isFull).toBe(false));
    expect(coding(begun())).toEqual(compressed);
  });
});

describe("event streams", () => {
  it("leave event by event", async () => {
    let more: (() => void) | undefined;
    const port = await gateway((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: 1\n\n");
      more = () => response.end("data: 2\n\n");
    });
    const events: string[] = [];
    await new Promise<void>((resolve, reject) => {
      get({ port, host: "127.0.0.1", headers: { "Accept-Encoding": "gzip" }, agent: false }, (response) => {
        expect(response.headers["content-encoding"]).toBe("gzip");
        response.pipe(createGunzip()).on("data", (chunk: Buffer) => {
          events.push(chunk.toString());
          more?.();
          more = undefined;
        }).on("end", resolve).on("error", reject);
      }).on("error", reject);
    });
    expect(events).toEqual(["data: 1\n\n", "data: 2\n\n"]);
  });
});

describe("answers that break off", () => {
  it("are no whole answers for the client, and leave nothing behind", async () => {
    const port = await gateway((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" });
      response.write(text, () => response.destroy());
    });
    await expect(ask(port, { "Accept-Encoding": "gzip" })).rejects.toThrow(/aborted|ECONNRESET/);
  });

  it("may be left by the client in the middle", async () => {
    const gone = Promise.withResolvers<void>();
    const port = await gateway((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" });
      const timer = setInterval(() => response.write(text), 1);
      response.on("close", () => {
        clearInterval(timer);
        gone.resolve();
      });
    });
    const request = get({ port, host: "127.0.0.1", headers: { "Accept-Encoding": "br" }, agent: false }, (response) => {
      response.once("data", () => response.destroy());
      response.on("error", () => undefined);
    });
    request.on("error", () => undefined);
    await gone.promise;
  });
});

describe("over TLS", () => {
  /** A route that answers with `text`, asked for over `scheme`. */
  async function coding(policy: Omit<CompressionPolicyConfig, "name">, request: FakeRequest, trustedProxies: readonly string[] = []): Promise<string | undefined> {
    const { send } = await edgeProxy(configOf({ compression: { Default: policy } }, { clusterId: undefined, respond: { body: text } }), {}, { trustedProxies });
    const { response } = await send({ ...request, headers: [["Accept-Encoding", "gzip"], ...(request.headers ?? [])] });
    const given = response.header("Content-Encoding");
    await new Promise<void>((resolve) => (response.ended ? resolve() : (response.end = () => resolve())));
    return given;
  }

  it("nothing is compressed unless the policy says so", async () => {
    expect([await coding({}, { scheme: "https" }), await coding({ enableForHttps: true }, { scheme: "https" }), await coding({}, { scheme: "http" })]).toEqual([undefined, "gzip", "gzip"]);
  });

  it("that a trusted proxy in front ends, nothing is compressed either", async () => {
    for (const field of [["X-Forwarded-Proto", "https"], ["Forwarded", "for=192.0.2.9;proto=https"]] as const) {
      expect([await coding({}, { headers: [field] }, ["192.0.2.7"]), await coding({}, { headers: [field] }), await coding({ enableForHttps: true }, { headers: [field] }, ["192.0.2.7"])]).toEqual([undefined, "gzip", "gzip"]);
    }
    // Nobody else decides, neither for nor against it.
    expect(await coding({}, { scheme: "https", headers: [["X-Forwarded-Proto", "http"]] })).toBe(undefined);
  });
});
