import { once } from "node:events";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createHttpClient, forwardNode, type Transformer } from "@proxy/forwarder";
import type { ReverseProxy } from "@proxy/pipeline";
import { afterBodyParser, intercepted, ownNotFound, replaced, withoutPassword } from "../bodies.ts";
import { createDevServer } from "../dev-server.ts";
import { createObservedServer, withErrorPage } from "../events.ts";
import { createApp } from "../middleware.ts";
import { createTenantProxy, rewritten, tenantInPath } from "../paths.ts";
import { createProxyServer } from "../server.ts";
import { byLookUp, createBalancer, createBetaProxy, createRouter } from "../targets.ts";
import { echo, listening, seen, serving } from "./support.ts";

function client() {
  const made = createHttpClient();
  onTestFinished(() => made.destroy());
  return made;
}

/** A destination of requests and of WebSockets, which say back what they hear. */
async function echoWithSockets(name: string): Promise<string> {
  const server = createServer((req, res) => res.end(JSON.stringify({ name, url: req.url })));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => socket.on("message", (data) => socket.send(`${name} ${request.url} ${String(data)}`)));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
  });
  return listening(server);
}

async function said(url: string, text: string): Promise<string> {
  const socket = new WebSocket(url.replace("http", "ws"));
  await once(socket, "open");
  socket.send(text);
  const [data] = (await once(socket, "message")) as [Buffer];
  socket.close();
  await once(socket, "close");
  return data.toString();
}

async function through(made: Promise<ReverseProxy>): Promise<string> {
  const proxy = await made;
  onTestFinished(() => proxy.close());
  return serving(proxy.nodeHandler);
}

const withTransformer = (target: string, transformer: Transformer) => {
  const http = client();
  return serving((req, res) => void forwardNode(req, res, target, http, { transformer }));
};

test("one target, with WebSockets", async () => {
  const address = await listening(createProxyServer(await echoWithSockets("one")));
  expect((await seen(`${address}/x`)).url).toBe("/x");
  expect(await said(`${address}/live`, "hello")).toBe("one /live hello");
});

test("a dev server: the API without its prefix, its events, and pages with a WebSocket of their own", async () => {
  const address = await listening(await createDevServer(await echoWithSockets("api"), await echoWithSockets("pages")));
  expect(await seen(`${address}/api/items?x=1`)).toMatchObject({ name: "api", url: "/items?x=1" });
  expect(await seen(`${address}/index.html`)).toMatchObject({ name: "pages", url: "/index.html" });
  expect(await said(`${address}/events`, "a")).toBe("api /events a");
  expect(await said(`${address}/hmr?token=1`, "b")).toBe("pages /hmr?token=1 b");
});

test("a middleware of express", async () => {
  const { app, proxy } = await createApp(await echo("orders"));
  onTestFinished(() => proxy.close());
  const address = await listening(createServer(app));
  expect(await seen(`${address}/api/orders/7`)).toMatchObject({ name: "orders", url: "/v2/orders/7" });
  expect(await (await fetch(`${address}/`)).text()).toBe("the shop\n");
  expect((await fetch(`${address}/api/orders/7`, { method: "DELETE" })).status).toBe(405);
});

describe("paths", () => {
  test("are rewritten by expressions and by code", async () => {
    const target = await echo();
    const byExpression = await withTransformer(target, rewritten);
    expect((await seen(`${byExpression}/api/old/x?y`)).url).toBe("/api/new/x?y");
    expect((await seen(`${byExpression}/remove/me/x`)).url).toBe("/x");
    for (const address of [await withTransformer(target, tenantInPath), await through(createTenantProxy(target))]) {
      expect(await seen(`${address}/x`, { headers: { "X-Tenant": "a/b" } })).toMatchObject({ url: "/a%2Fb/x", headers: { "x-forwarded-for": "127.0.0.1" } });
      expect((await seen(`${address}/x`)).url).toBe("/x");
    }
  });
});

describe("targets", () => {
  test("are chosen by host and path", async () => {
    const addresses = { api: await echo("api"), v2: await echo("v2"), files: await echo("files"), site: await echo("site") };
    const proxy = await createRouter(addresses);
    onTestFinished(() => proxy.close());
    const address = await serving((req, res) => {
      // fetch sets no Host
      req.headers.host = String(req.headers["x-host"] ?? req.headers.host);
      req.rawHeaders.splice(0, req.rawHeaders.length, "Host", req.headers.host);
      proxy.nodeHandler(req, res);
    });
    const name = async (path: string, host = "other.example") => (await seen(address + path, { headers: { "X-Host": host } })).name;
    expect([await name("/v2/x", "api.example"), await name("/x", "api.example"), await name("/files/x"), await name("/x")]).toEqual(["v2", "api", "files", "site"]);
  });

  test("are looked up", async () => {
    const target = await echo("looked up");
    const http = client();
    const address = await serving((req, res) => void byLookUp(req, res, http, () => Promise.resolve(target)));
    expect((await seen(address)).name).toBe("looked up");
  });

  test("stand in for one another, or are chosen by a step", async () => {
    const [one, two] = [await echo("one"), await echo("two")];
    const balanced = await through(createBalancer(one, two));
    expect([(await seen(balanced)).name, (await seen(balanced)).name].toSorted()).toEqual(["one", "two"]);
    const beta = await through(createBetaProxy(one, two));
    expect([(await seen(beta)).name, (await seen(beta, { headers: { "X-Beta": "yes" } })).name]).toEqual(["one", "two"]);
  });
});

describe("bodies", () => {
  const page = (body: string, type = "text/html", status = 200) =>
    serving((req, res) => {
      const zipped = req.headers["accept-encoding"]?.includes("gzip") === true;
      res.writeHead(status, { "Content-Type": type, ...(zipped ? { "Content-Encoding": "gzip" } : {}) }).end(zipped ? gzipSync(body) : body);
    });

  test("are replaced", async () => {
    const text = await withTransformer(await page("<a href=http://internal.test/x>"), replaced);
    expect(await (await fetch(text)).text()).toBe("<a href=https://shop.example/x>");
    const json = await withTransformer(await page('{"name":"a","password":"b"}', "application/json"), withoutPassword);
    expect(await (await fetch(json)).json()).toEqual({ name: "a" });
  });

  test("are intercepted as a whole", async () => {
    const change = (body: Buffer, status: number) => Promise.resolve(`${status} ${body.toString().toUpperCase()}`);
    const address = await withTransformer(await page("hello"), intercepted(change));
    expect(await (await fetch(address)).text()).toBe("200 HELLO");
  });

  test("are answers of one's own", async () => {
    const response = await fetch(`${await withTransformer(await page("gone", "text/html", 404), ownNotFound)}/x`);
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, "text/plain", "nothing at /x\n"]);
    expect(await (await fetch(await withTransformer(await page("here"), ownNotFound))).text()).toBe("here");
  });

  test("go on after a parser", async () => {
    const target = await echo();
    const http = client();
    const app = express().use(express.json(), (req, res) => void afterBodyParser(req, res, http, target));
    const address = await listening(createServer(app));
    const got = await seen(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{ "a": 1 }' });
    expect(got).toMatchObject({ body: '{"a":1}', headers: { "content-length": "7" } });
  });
});

describe("events", () => {
  test("have their places", async () => {
    const lines: string[] = [];
    const target = await echoWithSockets("one");
    const address = await listening(createObservedServer(target, client(), (line) => void lines.push(line)));
    expect((await fetch(`${address}/x`)).headers.get("x-seen")).toBe("200");
    expect(await said(`${address}/x`, "a")).toBe("one /x a");
    await expect.poll(() => lines).toEqual(["end", "closed ClientGracefulClose 1 1"]);
  });

  test("an error is the outcome, and may have a page", async () => {
    const lines: string[] = [];
    const nobody = createServer();
    const gone = await listening(nobody);
    nobody.close();
    const address = await listening(createObservedServer(gone, client(), (line) => void lines.push(line)));
    expect((await fetch(address)).status).toBe(502);
    await expect.poll(() => lines).toEqual(["Request destination 502"]);
    const paged = await fetch(await withTransformer(gone, withErrorPage));
    expect([paged.status, await paged.text()]).toEqual([502, "the API is not there\n"]);
  });
});
