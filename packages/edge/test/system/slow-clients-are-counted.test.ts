/** Bodies that were pushed out of the cache while slow clients are still being sent them: memory that the limit counts. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "vitest";
import { createEngineServer, createNodeServer } from "@proxy/http";
import { createReverseProxy, insertBefore } from "@proxy/pipeline";
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

interface Told {
  readonly path: string;
  readonly cache: string | undefined;
}

/** A gateway in front of a destination whose bodies are `size` each, framed by length or in chunks. */
async function gateway(createServer: typeof createEngineServer, sizeLimit: number, chunked = false) {
  const piece = Buffer.alloc(megabyte, "x");
  const asked: string[] = [];
  const seen = new WeakMap<Socket, number>();
  const destination = await rawDestination((received, socket) => {
    const heads = received.split("\r\n\r\n").slice(0, -1);
    for (let i = seen.get(socket) ?? 0; i < heads.length; i++) {
      seen.set(socket, i + 1);
      asked.push((heads[i] as string).split(" ", 2)[1] as string);
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
  const told: Told[] = [];
  let tell = (): void => {};
  const proxy = await createReverseProxy({
    config: {
      routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, outputCachePolicy: "p" } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
      policies: { outputCache: { p: { sizeLimit, sendCacheStatus: true } } },
    },
    extensions: [createEdgePolicies()],
    steps: (steps) =>
      insertBefore(steps, "output-cache", {
        name: "outcomes",
        async run(ctx, next) {
          const path = ctx.exchange.request.path;
          await next(ctx);
          told.push({ path, cache: ctx.cache });
          tell();
        },
      }),
  });
  const server = createServer({ handler: proxy.handle, limits: { minResponseDataRate: undefined } });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  open.push({
    async close() {
      await server.close(0);
      await proxy.close();
    },
  });
  return {
    port,
    asked,
    /** Resolves when the proxy is done with so many requests. */
    async done(count: number): Promise<void> {
      while (told.length < count) await new Promise<void>((resolve) => (tell = resolve));
    },
    told,
  };
}

/** A client that reads the head and nothing more. */
async function slowClient(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  open.push({ close: () => void socket.destroy() });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
  await once(socket, "readable");
  return socket;
}

/** All of an answer: its Cache-Status, and how long its body is. */
async function fetched(port: number, path: string, method = "GET"): Promise<{ readonly status: string | undefined; readonly length: number }> {
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

for (const [name, createServer] of [["the engine", createEngineServer], ["node:http", createNodeServer as typeof createEngineServer]] as const) {
  for (const chunked of [false, true]) {
    describe(`slow clients at ${name}, with bodies ${chunked ? "in chunks" : "of known length"}`, () => {
      it("hold no more than the limit of what was pushed out, and make room when they leave", async () => {
        const limit = 2.5 * size;
        const { port, done } = await gateway(createServer, limit, chunked);
        const before = buffers();
        const slow: Socket[] = [];
        for (let i = 0; i < 8; i++) {
          slow.push(await slowClient(port, `/slow${i}`));
          // Two of them are what may be under way; the others get theirs without it being kept, as fast as they read.
          let isKept = false;
          const most = i < 2 ? Number.POSITIVE_INFINITY : 20;
          for (let tries = 0; !isKept && tries < most; tries++) isKept = (await fetched(port, `/slow${i}`, "HEAD")).status === "hit";
          expect(isKept).toBe(i < 2);
        }
        expect((await fetched(port, "/common")).length).toBeGreaterThan(size - 1);
        // What is kept, and as much under way. All of the bodies would be 64 MB beside what is kept.
        expect((buffers() - before) / megabyte).toBeLessThan((2 * limit) / megabyte + 12);
        expect((await fetched(port, "/other")).status).toBe("fwd=miss");
        expect((await fetched(port, "/other")).status).toBe("fwd=miss");
        for (const each of slow) each.destroy();
        await done(8);
        let status: string | undefined;
        // They are gone when the server has seen it.
        for (let i = 0; i < 100 && status !== "hit"; i++) ({ status } = await fetched(port, "/again"));
        expect(status).toBe("hit");
      });
    });
  }
}
