import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { CircuitBreakerConfig } from "@proxy/config";
import { createEngineServer, createNodeServer, type FrontServer } from "@proxy/http";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { exchangeBytes, rawDestination, type RawDestination } from "./support/raw-sockets.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

interface Limited {
  readonly port: number;
  readonly proxy: ReverseProxy;
  readonly destination: RawDestination;
  /** Ends once active and waiting are so many. */
  counts(active: number, waiting: number): Promise<void>;
}

/** A destination that holds `/slow`, upgrades `/ws`, and answers what else comes. */
async function limited(make: (handler: ReverseProxy["handle"]) => FrontServer, circuitBreaker: CircuitBreakerConfig): Promise<Limited> {
  const destination = await rawDestination((received, socket) => {
    const last = received.slice(received.lastIndexOf("GET "));
    if (!last.endsWith("\r\n\r\n") || last.startsWith("GET /slow")) return;
    if (last.startsWith("GET /ws")) socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const proxy = await createReverseProxy({
    config: {
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: { c: { circuitBreaker, destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
    },
  });
  const server = make(proxy.handle);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  open.push(destination, proxy, { close: () => server.close(200) });
  return {
    port,
    proxy,
    destination,
    async counts(active, waiting) {
      const limiter = proxy.state.cluster("c")?.limiter;
      await expect.poll(() => [limiter?.active, limiter?.waiting]).toEqual([active, waiting]);
    },
  };
}

async function begin(port: number, text: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  open.push({ close: async () => void socket.destroy() });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

const servers: readonly (readonly [string, (handler: ReverseProxy["handle"]) => FrontServer])[] = [
  ["the engine", (handler) => createEngineServer({ handler })],
  ["node:http", (handler) => createNodeServer({ handler })],
];

describe.each(servers)("limits behind %s", (_name, make) => {
  it("refuse with whole responses, on a connection that goes on", async () => {
    const { port, counts } = await limited(make, { maxRequests: 1, retryAfter: 5_000 });
    const holding = await begin(port, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    await counts(1, 0);
    const two = "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const answers = await exchangeBytes(port, two);
    expect(answers.match(/HTTP\/1\.1 503 Service Unavailable\r\n/g)).toHaveLength(2);
    expect(answers.match(/Retry-After: 5\r\n/g)).toHaveLength(2);
    holding.resetAndDestroy();
    await counts(0, 0);
    expect(await exchangeBytes(port, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it("hold a slot as long as an upgraded connection is open", async () => {
    const { port, counts, destination } = await limited(make, { maxRequests: 1 });
    const socket = await begin(port, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const [head] = (await once(socket, "data")) as [Buffer];
    expect(head.toString("latin1")).toMatch(/^HTTP\/1\.1 101/);
    await counts(1, 0);
    expect(await exchangeBytes(port, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 503/);
    for (const each of destination.sockets) each.end();
    socket.end();
    await counts(0, 0);
  });

  it("let go of a client that leaves while it waits, and let in the next", async () => {
    const { port, counts, destination } = await limited(make, { maxRequests: 1, maxPendingRequests: 2, pendingTimeout: 60_000 });
    const holding = await begin(port, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    await counts(1, 0);
    const leaving = await begin(port, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    await counts(1, 1);
    const waiting = exchangeBytes(port, "GET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await counts(1, 2);
    leaving.resetAndDestroy();
    await counts(1, 1);
    holding.resetAndDestroy();
    expect(await waiting).toMatch(/^HTTP\/1\.1 200 OK/);
    await counts(0, 0);
    expect(destination.received.join("")).not.toContain("GET /x ");
  });
});
