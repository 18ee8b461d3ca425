/** Bodies that were pushed out of the cache while slow clients are still being sent them: memory that the limit counts. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineServer, createHttp2Server, createNodeServer } from "@proxy/http";
import { createReverseProxy } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { rawDestination } from "../../../pipeline/test/support/raw-sockets.ts";
import { createEdgePolicies } from "../../src/index.ts";

const megabyte = 1_048_576;
/** More than what the systems of both sides take of a connection that nobody reads. */
const size = 8 * megabyte;

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** A gateway in front of a destination whose bodies are `size` each, framed by length or in chunks. */
async function gateway(createServer: typeof createEngineServer, sizeLimit: number, chunked = false) {
  const piece = Buffer.alloc(megabyte, "x");
  const seen = new WeakMap<Socket, number>();
  const destination = await rawDestination((received, socket) => {
    const heads = received.split("\r\n\r\n").slice(0, -1);
    for (let i = seen.get(socket) ?? 0; i < heads.length; i++) {
      seen.set(socket, i + 1);
      socket.write(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      for (let sent = 0; sent < size; sent += megabyte) {
        if (chunked) socket.write(`${megabyte.toString(16)}\r\n`);
        socket.write(piece);
        if (chunked) socket.write("\r\n");
      }
      if (chunked) socket.write("0\r\n\r\n");
    }
  });
  open.push(destination);
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, outputCachePolicy: "p" } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
      policies: { outputCache: { p: { sizeLimit, sendCacheStatus: true } } },
    },
    extensions: [createEdgePolicies()],
  });
  const server = createServer({ handler: proxy.handle, limits: { minResponseDataRate: undefined } });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  open.push({
    async close() {
      await server.close(0);
      await proxy.close();
    },
  });
  return port;
}

interface Client {
  destroy(): void;
}

/** A client that reads the head and nothing more. */
async function slowClient(port: number, path: string): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  open.push({ close: () => void socket.destroy() });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  await once(socket, "readable");
  return socket;
}

/** The same over HTTP/2: its window is never opened again. */
async function slowHttp2(port: number, path: string): Promise<Client> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  open.push({ close: () => session.destroy() });
  const stream = session.request({ ":path": path });
  stream.on("error", () => {});
  await once(stream, "response");
  return session;
}

async function fetchedHttp2(port: number, path: string, method = "GET"): Promise<Fetched> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": path, ":method": method });
  const [head] = (await once(stream, "response")) as [Record<string, string>];
  let length = 0;
  for await (const chunk of stream) length += (chunk as Buffer).length;
  session.close();
  return { status: /^edge; ([^;]*)/.exec(head["cache-status"] ?? "")?.[1], length };
}

interface Fetched {
  readonly status: string | undefined;
  readonly length: number;
}

/** All of an answer: its Cache-Status, and how long its body is. */
async function fetched(port: number, path: string, method = "GET"): Promise<Fetched> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${method} ${path} HTTP/1.0\r\nHost: h\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  const end = all.indexOf("\r\n\r\n");
  return { status: /cache-status: edge; ([^\r]*)/i.exec(all.toString("latin1", 0, end))?.[1]?.split(";")[0], length: all.length - end - 4 };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of all buffers that are in use. */
function buffers(): number {
  collect();
  return process.memoryUsage().arrayBuffers;
}

for (const [name, createServer, comes, gets] of [
  ["the engine", createEngineServer, slowClient, fetched],
  ["node:http", createNodeServer as typeof createEngineServer, slowClient, fetched],
  ["HTTP/2", createHttp2Server as typeof createEngineServer, slowHttp2, fetchedHttp2],
] as const) {
  for (const chunked of [false, true]) {
    describe(`slow clients at ${name}, with bodies ${chunked ? "in chunks" : "of known length"}`, () => {
      it("hold no more than the limit of what was pushed out, and make room when they leave", async () => {
        const limit = 2.5 * size;
        const port = await gateway(createServer, limit, chunked);
        const before = buffers();
        const slow: Client[] = [];
        for (let i = 0; i < 6; i++) {
          slow.push(await comes(port, `/slow${i}`));
          // Two of them are what may be under way; the others get theirs without it being kept, as fast as they read.
          let isKept = false;
          const most = i < 2 ? Number.POSITIVE_INFINITY : 20;
          for (let tries = 0; !isKept && tries < most; tries++) isKept = (await gets(port, `/slow${i}`, "HEAD")).status === "hit";
          expect(isKept).toBe(i < 2);
        }
        expect((await gets(port, "/common")).length).toBeGreaterThan(size - 1);
        // What is kept, and as much under way. All of the bodies would be 48 MB beside what is kept.
        expect((buffers() - before) / megabyte).toBeLessThan((2 * limit) / megabyte + 12);
        expect((await gets(port, "/other")).status).toBe("fwd=miss");
        expect((await gets(port, "/other")).status).toBe("fwd=miss");
        for (const each of slow) each.destroy();
        let status: string | undefined;
        // They are gone when the server has seen it.
        for (let i = 0; i < 100 && status !== "hit"; i++) ({ status } = await gets(port, "/again"));
        expect(status).toBe("hit");
      });
    });
  }
}
