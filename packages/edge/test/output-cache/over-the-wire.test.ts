import { createEngineServer, createHttp2Server, createNodeServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
// @boundaries-ignore the doubles of the pipeline's own tests
import { exchangeBytes, rawDestination, type RawDestination } from "../../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies } from "../../src/index.ts";
import type { Policy } from "./cached-proxy.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const servers = { engine: createEngineServer, node: createNodeServer, http2: createHttp2Server } as const;

async function gateway(kind: keyof typeof servers, destination: RawDestination, policy: Policy = {}, more: { readonly compression?: boolean; readonly trusts?: boolean; readonly cors?: boolean } = {}): Promise<number> {
  open.push(destination);
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, outputCachePolicy: "p", ...(more.compression === true ? { compressionPolicy: "z" } : {}), ...(more.cors === true ? { corsPolicy: "s" } : {}) } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
      policies: { outputCache: { p: policy }, compression: { z: { minimumSize: 1 } }, cors: { s: { origins: ["https://*.app.test"], credentials: true } } },
    },
    extensions: [createEdgePolicies()],
    ...(more.trusts === true ? { trustedProxies: ["127.0.0.1"] } : {}),
  });
  const server = servers[kind]({ handler: proxy.handle });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  open.push({
    async close() {
      await server.close(1000);
      await proxy.close();
    },
  });
  return port;
}

/** Answers each request on a connection with the bytes for it. */
function answering(bytes: (request: string, count: number) => string): Promise<RawDestination> {
  let count = 0;
  const seen = new WeakMap<Socket, number>();
  return rawDestination((received, socket) => {
    const heads = received.split("\r\n\r\n").slice(0, -1);
    for (let i = seen.get(socket) ?? 0; i < heads.length; i++) {
      seen.set(socket, i + 1);
      socket.write(bytes(heads[i] as string, ++count), "latin1");
    }
  });
}

/** The content of a body in chunks. */
function unchunked(body: string): string {
  let content = "";
  for (let from = 0; ; ) {
    const end = body.indexOf("\r\n", from);
    const size = Number.parseInt(body.slice(from, end), 16);
    if (!(size > 0)) return content;
    content += body.slice(end + 2, end + 2 + size);
    from = end + 4 + size;
  }
}

const ask = (head: string): string => `${head}\r\nHost: site.test\r\n`;
const last = "Connection: close\r\n\r\n";
const requests = (destination: RawDestination): number => destination.received.join("").split("\r\n\r\n").length - 1;

for (const kind of ["engine", "node"] as const) {
  describe(`behind the server ${kind}`, () => {
    it("answers of all kinds follow one another on one connection, whole", async () => {
      const destination = await answering(() => 'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789');
      const port = await gateway(kind, destination);
      await exchangeBytes(port, ask("GET / HTTP/1.1") + last);
      const text = await exchangeBytes(
        port,
        `${ask("GET / HTTP/1.1")}\r\n${ask("HEAD / HTTP/1.1")}\r\n${ask("GET / HTTP/1.1")}If-None-Match: "v1"\r\n\r\n${ask("GET / HTTP/1.1")}Range: bytes=2-4\r\n\r\n${ask("GET / HTTP/1.1")}Range: bytes=20-\r\n\r\n${ask("GET / HTTP/1.1")}${last}`,
      );
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
      expect(statuses).toEqual(["200", "200", "304", "206", "416", "200"]);
      expect(text.match(/0123456789/g)?.length).toBe(2);
      expect(text).toMatch(/HTTP\/1\.1 206[^]*content-range: bytes 2-4\/10[^]*\r\n\r\n234HTTP/i);
      expect(text.match(/age: \d+\r\n/gi)?.length).toBe(5);
      expect(text.match(/content-length: 10\r\n/gi)?.length).toBe(3);
      expect(requests(destination)).toBe(1);
    });

    it("a large body is given again as it came", async () => {
      const body = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join("");
      const destination = await answering(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      const port = await gateway(kind, destination);
      const answers = await Promise.all(Array.from({ length: 5 }, () => exchangeBytes(port, ask("GET /large HTTP/1.1") + last)));
      const again = await exchangeBytes(port, ask("GET /large HTTP/1.1") + last);
      // The first had no length, and came in chunks.
      expect(again.slice(again.indexOf("\r\n\r\n") + 4)).toBe(body);
      expect(answers.filter((text) => text.endsWith(body) || text.endsWith("0\r\n\r\n")).length).toBe(5);
      expect(requests(destination)).toBe(1);
    });

    it("a body that ends with the connection, or is cut, is not kept", async () => {
      for (const [answer, ends] of [
        ["HTTP/1.1 200 OK\r\n\r\nwho knows", true],
        ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", true],
        ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n", true],
      ] as const) {
        let count = 0;
        const destination = await rawDestination((received, socket) => {
          if (!received.endsWith("\r\n\r\n")) return;
          count++;
          if (ends) socket.end(answer, "latin1");
        });
        const port = await gateway(kind, destination);
        for (let i = 0; i < 2; i++) await exchangeBytes(port, ask("GET / HTTP/1.1") + last).catch(() => "");
        expect(count).toBe(2);
      }
    });

    it("a client that leaves in the middle does not take the answer with it", async () => {
      const halves: Socket[] = [];
      const destination = await rawDestination((received, socket) => {
        if (!received.endsWith("\r\n\r\n")) return;
        halves.push(socket);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n${"a".repeat(10)}`);
      });
      const port = await gateway(kind, destination);
      await exchangeBytes(port, `${ask("GET / HTTP/1.1")}\r\n`, /a{10}/);
      const follower = exchangeBytes(port, ask("GET / HTTP/1.1") + last);
      halves[0]?.write("b".repeat(10));
      expect(await follower).toMatch(/a{10}b{10}$/);
      expect(await exchangeBytes(port, ask("GET / HTTP/1.1") + last)).toMatch(/a{10}b{10}$/);
      expect(halves.length).toBe(1);
    });

    it("a client that does not read holds nobody back", async () => {
      const body = "x".repeat(4_000_000);
      const destination = await answering(() => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const port = await gateway(kind, destination);
      const slow = connect(port, "127.0.0.1");
      slow.on("error", () => {});
      slow.pause();
      slow.write(`${ask("GET / HTTP/1.1")}\r\n`);
      const other = await exchangeBytes(port, ask("GET / HTTP/1.1") + last);
      expect(other.length).toBeGreaterThan(body.length);
      slow.destroy();
      expect(requests(destination)).toBe(1);
    });

    it("fields of trusted proxies that no key holds do not reach the destination", async () => {
      const destination = await answering(() => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      const port = await gateway(kind, destination, {}, { trusts: true });
      await exchangeBytes(port, `${ask("GET / HTTP/1.1")}X-Forwarded-Host: evil.test\r\nX-Original-URL: /evil\r\nX-Forwarded-Scheme: evil\r\nForwarded: host=evil.test\r\n${last}`);
      expect(destination.received.join("")).not.toContain("evil");
      expect(destination.received.join("")).toMatch(/x-forwarded-host: site\.test\r\n/i);
    });

    it("clients of another scheme, which a trusted proxy tells, have answers of their own, and the destination is told it", async () => {
      const destination = await answering((request) => {
        const scheme = /\r\nx-forwarded-proto: ([^\r]*)/i.exec(`${request}\r`)?.[1] ?? "";
        return `HTTP/1.1 200 OK\r\nContent-Length: ${scheme.length}\r\n\r\n${scheme}`;
      });
      const port = await gateway(kind, destination, {}, { trusts: true });
      const told = async (fields: string): Promise<string | undefined> => (await exchangeBytes(port, `${ask("GET / HTTP/1.1")}${fields}${last}`)).split("\r\n\r\n")[1];
      for (let round = 0; round < 2; round++) {
        expect(await told("X-Forwarded-Proto: https\r\n")).toBe("https");
        expect(await told("Forwarded: for=192.0.2.1;proto=https\r\n")).toBe("https");
        expect(await told("X-Forwarded-Proto: http\r\n")).toBe("http");
        expect(await told("")).toBe("http");
        expect(await told("X-Forwarded-Proto: evil\r\n")).toBe("http");
      }
      expect(requests(destination)).toBe(2);
      // Nobody else is believed.
      const other = await answering((request) => (/https/i.test(request) ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      const open = await gateway(kind, other);
      for (const fields of ["X-Forwarded-Proto: https\r\n", "", "Forwarded: proto=https\r\n"]) expect(await exchangeBytes(open, `${ask("GET / HTTP/1.1")}${fields}${last}`)).toMatch(/ 200 /);
      expect(requests(other)).toBe(1);
    });

    it("clients of HTTP/1.0 get what is kept with its length, and may be the first to ask", async () => {
      const destination = await answering(() => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
      const port = await gateway(kind, destination);
      const first = await exchangeBytes(port, `${ask("GET /a HTTP/1.0")}\r\n`);
      expect(first).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nhello world$/);
      expect(first).not.toMatch(/transfer-encoding/i);
      for (const version of ["1.0", "1.1"]) expect(await exchangeBytes(port, `${ask(`GET /a HTTP/${version}`)}${last}`)).toMatch(/^HTTP\/1\.1 200 [^]*content-length: 11\r\n[^]*\r\n\r\nhello world$/i);
      expect(await exchangeBytes(port, `${ask("GET /a HTTP/1.0")}Range: bytes=0-4\r\n\r\n`)).toMatch(/^HTTP\/1\.1 206 [^]*\r\n\r\nhello$/);
      expect(requests(destination)).toBe(1);
    });

    it("trailers keep an answer from being kept, and pass", async () => {
      const destination = await answering(() => "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n");
      const port = await gateway(kind, destination);
      for (let i = 0; i < 2; i++) expect(await exchangeBytes(port, `${ask("GET /a HTTP/1.1")}TE: trailers\r\n${last}`)).toMatch(/\r\n0\r\nX-Sum: 7\r\n\r\n$/i);
      expect(requests(destination)).toBe(2);
    });

    it("pages of one origin are not told what another one was, whoever decides", async () => {
      for (const cors of [false, true]) {
        const destination = await answering((request) => {
          const origin = /\r\norigin: ([^\r]*)/i.exec(`${request}\r`)?.[1];
          return `HTTP/1.1 200 OK\r\nCache-Control: public\r\n${origin === undefined ? "" : `Access-Control-Allow-Origin: ${origin}\r\nAccess-Control-Allow-Credentials: true\r\n`}Content-Length: 2\r\n\r\nok`;
        });
        const port = await gateway(kind, destination, {}, { cors });
        const allowed = async (origin: string | undefined): Promise<string | undefined> => {
          const text = await exchangeBytes(port, `${ask("GET / HTTP/1.1")}${origin === undefined ? "" : `Origin: ${origin}\r\n`}${last}`);
          expect(text).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
          return /access-control-allow-origin: ([^\r]*)/i.exec(text)?.[1];
        };
        const asked = ["https://evil.test", "https://a.app.test", undefined, "https://b.app.test"];
        const expected = cors ? [undefined, "https://a.app.test", undefined, "https://b.app.test"] : asked;
        for (let round = 0; round < 2; round++) for (const [index, origin] of asked.entries()) expect([origin, await allowed(origin)]).toEqual([origin, expected[index]]);
        expect(requests(destination)).toBe(cors ? 1 : 4);
      }
    });

    it("compression is of what is kept, and its tags are understood", async () => {
      const destination = await answering(() => `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: "v1"\r\nContent-Length: 50\r\n\r\n${"y".repeat(50)}`);
      const port = await gateway(kind, destination, {}, { compression: true });
      await exchangeBytes(port, ask("GET / HTTP/1.1") + last);
      const packed = await exchangeBytes(port, `${ask("GET / HTTP/1.1")}Accept-Encoding: gzip\r\n${last}`);
      expect(packed).toMatch(/content-encoding: gzip\r\n/i);
      expect(packed).toMatch(/etag: W\/"v1"\r\n/i);
      expect(gunzipSync(Buffer.from(unchunked(packed.slice(packed.indexOf("\r\n\r\n") + 4)), "latin1")).toString()).toBe("y".repeat(50));
      expect(await exchangeBytes(port, `${ask("GET / HTTP/1.1")}Accept-Encoding: gzip\r\nIf-None-Match: W/"v1"\r\n${last}`)).toMatch(/^HTTP\/1\.1 304/);
      expect(requests(destination)).toBe(1);
    });
  });
}

function askHttp2(session: ClientHttp2Session, headers: Record<string, string>): Promise<{ readonly status: number | undefined; readonly age: string | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": "/", ...headers });
    let head: Record<string, unknown> = {};
    let text = "";
    stream.on("response", (given) => (head = given));
    stream.setEncoding("latin1");
    stream.on("data", (chunk: string) => (text += chunk));
    stream.on("end", () => resolve({ status: head[":status"] as number | undefined, age: head["age"] as string | undefined, text }));
    stream.on("error", reject);
    stream.end();
  });
}

describe("over HTTP/2", () => {
  for (const size of [10, 100_000]) {
    it(`answers of all kinds are given from what is kept, of ${size} bytes`, async () => {
      const body = "0123456789".repeat(size / 10);
      const destination = await answering(() => `HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: ${size}\r\n\r\n${body}`);
      const port = await gateway("http2", destination);
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      open.push({ close: () => new Promise((resolve) => session.close(resolve)) });
      const burst = await Promise.all(Array.from({ length: 5 }, () => askHttp2(session, {})));
      expect(burst.every(({ status, text }) => status === 200 && text === body)).toBe(true);
      expect(await askHttp2(session, {})).toEqual({ status: 200, age: expect.any(String), text: body });
      expect(await askHttp2(session, { ":method": "HEAD" })).toEqual({ status: 200, age: expect.any(String), text: "" });
      expect(await askHttp2(session, { "if-none-match": '"v1"' })).toEqual({ status: 304, age: expect.any(String), text: "" });
      expect(await askHttp2(session, { range: "bytes=2-4" })).toEqual({ status: 206, age: expect.any(String), text: "234" });
      expect(requests(destination)).toBe(1);
    });
  }
});
