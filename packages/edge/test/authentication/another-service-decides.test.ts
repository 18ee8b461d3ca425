import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ForwardAuthConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeExchange } from "../../../pipeline/test/support/fake-exchange.ts";
import { configOf, edgeProxy } from "../proxies.ts";

/** The service, over a real connection. */
let server: Server;
let url: string;
let decide: (request: IncomingMessage, response: ServerResponse) => void;
const asked: IncomingMessage[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    decide(request, response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/decide`;
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function guarded(forwardAuth: ForwardAuthConfig = {}) {
  const { send, clients, proxy } = await edgeProxy(
    configOf({ authentication: { ask: { forwardAuth: { url, ...forwardAuth } } }, authorization: { p: { forward: { headers: { "X-Name": "@name" } } } } }, { authorizationPolicy: "p" }),
  );
  return { send, proxy, clients, ask: async (request: Parameters<typeof send>[0] = {}) => (await send(request)).response, seen: () => clients[0]?.calls.at(-1)?.request.headers };
}

describe("a service that decides", () => {
  it("is told the request, and no more of its fields than are named", async () => {
    decide = (_request, response) => response.end();
    const { ask } = await guarded({ requestHeaders: ["Authorization", "Cookie", "X-Trace"] });
    const headers = [["Authorization", "Basic x"], ["Cookie", "a=1"], ["Cookie", "b=2"], ["X-Trace", "t"], ["X-Other", "o"], ["X-Forwarded-Uri", "/forged"], ["X-Forwarded-For", "203.0.113.9"]] as const;
    expect((await ask({ method: "DELETE", target: "/a/b?c=d", authority: "shop.example", headers })).status).toBe(200);
    const told = asked[0]?.headers ?? {};
    expect([asked[0]?.method, asked[0]?.url]).toEqual(["GET", "/decide"]);
    expect(Object.fromEntries(Object.entries(told).filter(([name]) => name.startsWith("x-") || name === "authorization" || name === "cookie"))).toEqual({
      authorization: "Basic x",
      cookie: "a=1; b=2",
      "x-trace": "t",
      "x-forwarded-method": "DELETE",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example",
      "x-forwarded-uri": "/a/b?c=d",
      "x-forwarded-for": "192.0.2.7",
    });
  });

  it("is shown no session of the gateway's own, nor a sign-in that goes on", async () => {
    decide = (_request, response) => response.end();
    const openIdConnect = { authority: "http://127.0.0.1:1", clientId: "c", publicOrigin: "https://app.test" };
    const config = configOf({ authentication: { ask: { forwardAuth: { url } }, session: { cookie: {} }, login: { openIdConnect } }, authorization: { p: { schemes: ["ask"] } } }, { authorizationPolicy: "p" });
    const { send, proxy } = await edgeProxy(config);
    const headers = [["Cookie", "a=1; __Host-session=chunks-2; __Host-sessionC1=x"], ["Cookie", "__Host-sessionC2=y; b=2; __Host-signin.abc=z"]] as const;
    expect((await send({ headers })).response.status).toBe(200);
    expect(asked[0]?.headers.cookie).toBe("a=1; b=2");
    expect((await send({ headers: [["Cookie", "__Host-session=x"]] })).response.status).toBe(200);
    expect(asked[1]?.headers.cookie).toBeUndefined();
    await proxy.close();
  });

  it("has the fields that are named passed on, and nobody else's of these names", async () => {
    decide = (_request, response) => response.writeHead(204, { "X-Auth-User": "ann", "X-Auth-Role": "admin", "X-Secret": "s" }).end();
    const { ask, seen } = await guarded({ responseHeaders: ["X-Auth-User", "X-Auth-Mail"], nameHeader: "x-auth-user" });
    await ask({ headers: [["X-Auth-User", "root"], ["X_Auth_User", "root"], ["X-Auth-Mail", "root"], ["X-Auth-Role", "mine"]] });
    const headers = seen();
    expect([headers?.getAll("x-auth-user"), headers?.has("x_auth_user"), headers?.has("x-auth-mail"), headers?.get("x-auth-role"), headers?.has("x-secret"), headers?.get("x-name")]).toEqual([
      ["ann"], false, false, "mine", false, "ann",
    ]);
  });

  it("has its refusals and redirects shown to the client as they are", async () => {
    const { ask, clients } = await guarded();
    for (const status of [401, 403, 404, 302, 307]) {
      decide = (_request, response) =>
        response.writeHead(status, { "WWW-Authenticate": "Own", Location: "https://login.example/?back=1", "Set-Cookie": ["a=1", "b=2"], "Content-Type": "text/plain", "X-Secret": "s", Connection: "close" }).end("no");
      const answer = await ask();
      expect([answer.status, answer.header("WWW-Authenticate"), answer.header("Location"), answer.head?.headers.getAll("set-cookie"), answer.text, answer.header("X-Secret"), answer.header("Cache-Control")]).toEqual([
        status, "Own", "https://login.example/?back=1", ["a=1", "b=2"], "no", undefined, "no-store",
      ]);
    }
    expect(clients[0]?.calls.length).toBe(0);
  });

  it("that fails, says nothing in time, too much or nonsense is 503, not leave", async () => {
    const cases: [ForwardAuthConfig, typeof decide][] = [
      [{}, (_request, response) => response.writeHead(500).end()],
      [{ timeout: 50 }, () => {}],
      [{ timeout: 50 }, (_request, response) => response.writeHead(401).write("a")],
      [{ maxBodySize: 10 }, (_request, response) => response.writeHead(401).end("x".repeat(11))],
      [{}, (request) => request.socket.destroy()],
      [{}, (request) => request.socket.end("nonsense\r\n\r\n")],
      [{ url: "http://127.0.0.1:1/" }, () => {}],
    ];
    for (const [config, run] of cases) {
      decide = run;
      const { ask, clients } = await guarded(config);
      const answer = await ask();
      expect([answer.status, answer.header("Retry-After"), clients[0]?.calls.length]).toEqual([503, "5", 0]);
    }
  });

  it("is asked so many questions at a time and no more", async () => {
    const waiting: ServerResponse[] = [];
    decide = (_request, response) => waiting.push(response);
    const { ask } = await guarded({ maxConcurrency: 2 });
    const first = [ask(), ask()];
    await vi.waitUntil(() => waiting.length === 2, { timeout: 30_000 });
    const beyond = await ask();
    expect([beyond.status, beyond.header("Retry-After")]).toEqual([503, "1"]);
    for (const response of waiting) response.end();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    decide = (_request, response) => response.end();
    expect((await ask()).status).toBe(200);
  });

  it("decides on requests that it was asked about before a reload", async () => {
    const { promise: question, resolve } = Promise.withResolvers<ServerResponse>();
    decide = (_request, response) => resolve(response);
    const policies = (timeout: number) => ({ authentication: { ask: { forwardAuth: { url, timeout } } }, authorization: { p: {} } });
    const { send, proxy } = await edgeProxy(configOf(policies(30_000), { authorizationPolicy: "p" }));
    const served = send();
    const response = await question;
    await proxy.update(configOf(policies(29_000), { authorizationPolicy: "p" }));
    response.end();
    expect((await served).response.status).toBe(200);
  });

  it("is left alone when the client leaves, and the request goes no further", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    decide = (request) => request.socket.on("close", resolve);
    const { proxy, clients } = await guarded();
    const exchange = new FakeExchange();
    const served = proxy.handle(exchange);
    await vi.waitUntil(() => asked.length === 1, { timeout: 30_000 });
    exchange.leave();
    await Promise.all([served, closed]);
    expect(clients[0]?.calls.length).toBe(0);
  });
});
