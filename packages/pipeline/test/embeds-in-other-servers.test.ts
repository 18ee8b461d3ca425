import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import express from "express";
import fastify from "fastify";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { RecordedEvents } from "./support/recorded-events.ts";
import { exchangeBytes } from "./support/raw-sockets.ts";
import { nodeDestination } from "./support/serving.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** A proxy for `/api`, whose destination tells what it got. */
async function apiProxy(logger = new RecordedEvents()): Promise<ReverseProxy> {
  const destination = await nodeDestination((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => response.end(`${request.method} ${request.url} ${body}`));
  });
  const proxy = await createReverseProxy({
    logger,
    config: {
      routes: { api: { clusterId: "c", match: { path: "/api/{**rest}", methods: ["GET", "POST"] } } },
      clusters: { c: { destinations: { d: { address: `http://127.0.0.1:${destination.port}` } } } },
    },
  });
  open.push(destination, proxy);
  return proxy;
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return (server.address() as AddressInfo).port;
}

const lines = (...text: readonly string[]): string => text.join("\r\n");
const get = (target: string): string => lines(`GET ${target} HTTP/1.1`, "Host: a", "Connection: close", "", "");
const post = (target: string, body: string): string =>
  lines(`POST ${target} HTTP/1.1`, "Host: a", "Content-Type: text/plain", `Content-Length: ${body.length}`, "Connection: close", "", body);

describe("a proxy in a bare node:http server", () => {
  it("serves what its routes match and answers 404 for the rest", async () => {
    const port = await listen((await apiProxy()).nodeHandler);
    expect(await exchangeBytes(port, post("/api/a%2Fb?x=1", "hello"))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*POST \/api\/a%2Fb\?x=1 hello$/);
    expect(await exchangeBytes(port, get("/other"))).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[^]*\r\n\r\n$/);
  });

  it("refuses a request that is malformed with 400", async () => {
    const port = await listen((await apiProxy()).nodeHandler);
    expect(await exchangeBytes(port, get("/api/%zz\u0001"))).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchangeBytes(port, get("/api/<x>"))).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("has 100 (Continue) sent once", async () => {
    const port = await listen((await apiProxy()).nodeHandler);
    const request = post("/api/x", "hello").replace("Host: a", "Host: a\r\nExpect: 100-continue");
    expect(await exchangeBytes(port, request)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*POST \/api\/x hello$/);
  });

  it("serves upgrades by the server's upgrade event", async () => {
    const proxy = await apiProxy();
    const server = createServer(proxy.nodeHandler);
    server.on("upgrade", proxy.nodeUpgradeHandler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
    const { port } = server.address() as AddressInfo;
    const upgrade = lines("GET /api/ws HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: websocket", "", "");
    // The destination knows no upgrade and answers as always.
    expect(await exchangeBytes(port, upgrade, /GET \/api\/ws $/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe("a proxy in express", () => {
  it("serves what its routes match and passes the rest on, bodies untouched", async () => {
    const { nodeHandler } = await apiProxy();
    const app = express();
    app.use(nodeHandler);
    app.post("/own", express.text({ type: "*/*", limit: "1mb" }), (request, response) => void response.send(`own ${String(request.body).length}`));
    const port = await listen(app);
    expect(await exchangeBytes(port, post("/api/x", "hello"))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*POST \/api\/x hello$/);
    expect(await exchangeBytes(port, post("/own", "x".repeat(200_000)))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*own 200000$/);
    expect(await exchangeBytes(port, get("/nothing"))).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(await exchangeBytes(port, post("/api/x", "").replace("POST", "DELETE"))).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET, POST\r\n/);
  });

  it("sees the whole path where it is mounted below one", async () => {
    const { nodeHandler } = await apiProxy();
    const app = express();
    app.use("/api", nodeHandler);
    const port = await listen(app);
    expect(await exchangeBytes(port, get("/api/x?y=%20"))).toMatch(/GET \/api\/x\?y=%20 $/);
  });
});

describe("a proxy behind something that reads bodies", () => {
  const chunked = lines("POST /api/x HTTP/1.1", "Host: a", "Content-Type: text/plain", "Transfer-Encoding: chunked", "Connection: close", "", "");

  it.each([
    ["a body parser took it whole", express.text(), post("/api/x", "hello")],
    ["a body parser took it whole, in chunks", express.text(), `${chunked}5\r\nhello\r\n0\r\n\r\n`],
    [
      "a handler took the first piece of it",
      (request: express.Request, _: express.Response, next: () => void) => void request.once("data", () => (request.pause(), next())),
      `${chunked}5\r\nhello\r\n0\r\n\r\n`,
    ],
  ])("forwards nothing, answers 502 and says why: %s", async (_, parser, request) => {
    const log = new RecordedEvents();
    const { nodeHandler } = await apiProxy(log);
    const port = await listen(express().use(parser).use(nodeHandler));
    expect(await exchangeBytes(port, request)).toMatch(/^HTTP\/1\.1 502 [^]*\r\n\r\n$/);
    expect(log.named("forwarding-failed")).toMatchObject([{ level: "warning", fields: { code: "RequestCreation", source: "gateway" } }]);
    expect(String(log.named("forwarding-failed")[0]?.fields["error"])).toContain("read, at least in part, by somebody else");
  });

  it("forwards a request whose body is empty", async () => {
    const { nodeHandler } = await apiProxy();
    const port = await listen(express().use(express.text()).use(nodeHandler));
    expect(await exchangeBytes(port, post("/api/x", ""))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*POST \/api\/x $/);
    expect(await exchangeBytes(port, `${chunked}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*POST \/api\/x $/);
  });
});

describe("a proxy in fastify", () => {
  it("serves a wildcard route, with bodies that fastify does not parse", async () => {
    const { nodeHandler } = await apiProxy();
    const app = fastify();
    app.get("/own", () => "own");
    await app.register(async (proxied) => {
      proxied.removeAllContentTypeParsers();
      proxied.addContentTypeParser("*", (_request, _payload, done) => done(null));
      proxied.all("/api/*", (request, reply) => {
        reply.hijack();
        nodeHandler(request.raw, reply.raw);
      });
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    open.push(app);
    const { port } = app.server.address() as AddressInfo;
    const json = post("/api/x", "{not json").replace("text/plain", "application/json");
    expect(await exchangeBytes(port, json)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*POST \/api\/x \{not json$/);
    expect(await exchangeBytes(port, get("/own"))).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*own$/);
  });
});
