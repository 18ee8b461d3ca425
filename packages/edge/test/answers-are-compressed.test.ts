import { get, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { brotliDecompressSync, createGunzip, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { CompressionPolicyConfig, RouteConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { nodeDestination, serve } from "../../pipeline/test/support/serving.ts";
import { createEdgePolicies } from "../src/index.ts";
import { compileCompressionPolicy } from "../src/compression/compression-policy.ts";

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
    expect((await ask(port, { "Accept-Encoding": "gzip" }, "HEAD")).headers["content-length"]).toBe(String(text.length));
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

  it("of the gateway itself are compressed too", async () => {
    const port = await gateway(textual, {}, { clusterId: undefined, respond: { body: text } });
    const { headers, body } = await ask(port, { "Accept-Encoding": "gzip" });
    expect(headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(body).toString()).toBe(text);
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
  it("nothing is compressed unless the policy says so", async () => {
    // The scheme alone decides.
    const request = { scheme: "https" } as Parameters<ReturnType<typeof compileCompressionPolicy>["concerns"]>[0];
    expect(compileCompressionPolicy({ name: "p" }).concerns(request)).toBe(false);
    expect(compileCompressionPolicy({ name: "p", enableForHttps: true }).concerns(request)).toBe(true);
  });
});
