import type { Socket } from "node:net";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createEngineServer, createNodeServer } from "@proxy/http";
import type { RetryConfig, RouteConfig } from "@proxy/config";
import { afterEach, describe, expect, test } from "vitest";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { exchangeBytes, rawDestination, type RawDestination } from "./support/raw-sockets.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function destination(answer: (received: string, socket: Socket) => void): Promise<RawDestination> {
  const raw = await rawDestination(answer);
  closers.push(() => raw.close());
  return raw;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const answering = (name: string) => (received: string, socket: Socket) => {
  const head = received.indexOf("\r\n\r\n");
  const length = Number(/content-length: (\d+)/iu.exec(received)?.[1] ?? 0);
  const isWhole = /transfer-encoding: chunked/iu.test(received) ? received.endsWith("0\r\n\r\n") : received.length >= head + 4 + length;
  if (head > 0 && isWhole) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
};

describe.each([["engine", createEngineServer], ["node", createNodeServer]] as const)("behind the %s server", (_name, createFront) => {
  /** Serves destinations `a`, which fails, and `b`, asked in this order. */
  async function serving(a: number, b: number, retry: RetryConfig, route: Partial<RouteConfig> = {}): Promise<{ port: number; proxy: ReverseProxy }> {
    const proxy = await createReverseProxy({
      config: {
        routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
        clusters: {
          c: {
            destinations: { a: { address: `http://127.0.0.1:${a}/` }, b: { address: `http://127.0.0.1:${b}/` } },
            loadBalancingPolicy: "FirstAlphabetical",
            retry,
            httpRequest: { activityTimeout: 10_000 },
          },
        },
      },
    });
    const server = createFront({ handler: proxy.handle });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    closers.push(async () => {
      await server.close(500);
      await proxy.close();
      const { inFlight, destinations } = proxy.state.cluster("c") ?? { inFlight: -1, destinations: { all: [] } };
      expect([inFlight, ...destinations.all.map((each) => each.inFlight)]).toEqual([0, 0, 0]);
    });
    return { port, proxy };
  }

  const get = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

  test("a refused connection", async () => {
    const b = await destination(answering("b"));
    const { port } = await serving(await closedPort(), b.port, {});
    expect(await exchangeBytes(port, get)).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\nb$/u);
  });

  test.each<[string, (received: string, socket: Socket) => void]>([
    ["a close without a word", (_, socket) => socket.end()],
    ["a reset", (_, socket) => socket.resetAndDestroy()],
    ["half a head", (_, socket) => socket.end("HTTP/1.1 200 OK\r\nX-Pa")],
    ["what is no HTTP", (_, socket) => socket.end("SSH-2.0-OpenSSH\r\n\r\n")],
  ])("%s", async (_title, answer) => {
    const a = await destination(answer);
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, {});
    expect(await exchangeBytes(port, get)).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\nb$/u);
    expect([a.received.length, b.received.length]).toEqual([1, 1]);
  });

  test("a destination that answers nothing in the time of one attempt", async () => {
    const a = await destination(() => {});
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, { perTryTimeout: 100 });
    expect(await exchangeBytes(port, get)).toMatch(/^HTTP\/1.1 200 OK/u);
    const alone = await serving(a.port, a.port, { perTryTimeout: 50 });
    expect(await exchangeBytes(alone.port, get)).toMatch(/^HTTP\/1.1 504 /u);
  });

  test("not the route's own time, which is up for all attempts", async () => {
    const a = await destination(() => {});
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, { perTryTimeout: 5000 }, { timeout: 150 });
    expect(await exchangeBytes(port, get)).toMatch(/^HTTP\/1.1 504 /u);
    expect(b.received.length).toBe(0);
  });

  test("a chosen status, of which nothing reaches the client", async () => {
    const a = await destination((_, socket) => socket.write("HTTP/1.1 503 Gone Fishing\r\nX-From: a\r\nContent-Length: 4\r\n\r\nfish"));
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, { statusCodes: [503] });
    const text = await exchangeBytes(port, get);
    expect(text).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\nb$/u);
    expect(text).not.toMatch(/X-From|fish/u);
    // The last word stands, with its body.
    const both = await serving(a.port, a.port, { statusCodes: [503] });
    expect(await exchangeBytes(both.port, get)).toMatch(/^HTTP\/1.1 503 Gone Fishing[^]*\r\n\r\nfish$/u);
  });

  const resetting = (mark: string) => (received: string, socket: Socket) => {
    if (received.includes(mark)) socket.resetAndDestroy();
  };

  test.each([
    ["with a length", "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n", "some", " data", ""],
    ["in chunks, with trailers", "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nsome\r\n", "5\r\n data\r\n", "0\r\n\r\n"],
  ])("a body %s is sent again, from its begin", async (_title, head, first, second, end) => {
    const a = await destination(resetting("some"));
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, {});
    expect(await exchangeBytes(port, head + first + second + end)).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\nb$/u);
    expect(b.received[0]?.replace(/\r\n[0-9a-f]+\r\n/gu, "")).toMatch(/some data/u);
  });

  test("a body that is still on its way goes on at the other destination", async () => {
    const a = await destination(resetting("some"));
    let push = (): void => {};
    const b = await destination((received, socket) => {
      if (received.endsWith("some")) push();
      answering("b")(received, socket);
    });
    const { port } = await serving(a.port, b.port, {});
    const { connect } = await import("node:net");
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
    push = () => void socket.write(" data");
    socket.write("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nsome");
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1.1 200 OK[^]*\r\n\r\nb$/u);
    expect(b.received[0]).toMatch(/\r\n\r\nsome data$/u);
  });

  test("a body above the limit is not sent again once it was begun", async () => {
    const a = await destination(resetting("xxx"));
    const b = await destination(answering("b"));
    const { port } = await serving(a.port, b.port, { maxBodySize: 10 });
    expect(await exchangeBytes(port, `PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 11\r\n\r\n${"x".repeat(11)}`)).toMatch(/^HTTP\/1.1 502 /u);
    expect(b.received.length).toBe(0);
  });

  test("a POST stays where it was, unless told", async () => {
    const a = await destination(resetting("data"));
    const b = await destination(answering("b"));
    const post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndata";
    const without = await serving(a.port, b.port, {});
    expect(await exchangeBytes(without.port, post)).toMatch(/^HTTP\/1.1 502 /u);
    const told = await serving(a.port, b.port, { methods: ["POST"] });
    expect(await exchangeBytes(told.port, post)).toMatch(/^HTTP\/1.1 200 /u);
  });

  test("a WebSocket opens at another destination", async () => {
    const b = await destination((received, socket) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    });
    const { port } = await serving(await closedPort(), b.port, {});
    const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    expect(await exchangeBytes(port, upgrade, /hello/u)).toMatch(/^HTTP\/1.1 101 /u);
  });
});
