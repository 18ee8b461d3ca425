import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startIssuer, type Issuer } from "../issuer.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const apiKey = "wh_5f1c0c1e7a9d4b7c8e2a6d3b9f0e4c17";
let issuer: Issuer;
let api: Server;
let gateway: ChildProcess;
let port: number;

beforeAll(async () => {
  issuer = await startIssuer();
  api = createServer((req, res) => res.end(JSON.stringify({ user: req.headers["x-user"], tenant: req.headers["x-tenant"], token: req.headers.authorization, key: req.headers["x-api-key"] })));
  await once(api.listen(0, "127.0.0.1"), "listening");
  const env = {
    PATH: process.env["PATH"],
    Policies__Authentication__jwt__Bearer__Issuer: issuer.url,
    Policies__Authentication__partners__ApiKey__Keys__warehouse__Hash: createHash("sha256").update(apiKey).digest("hex"),
    // However slow the machine is, no window ends meanwhile.
    "Policies__RateLimiter__each-user__Window": "1h",
    ReverseProxy__Clusters__api__Destinations__a__Address: `http://127.0.0.1:${(api.address() as AddressInfo).port}/`,
  };
  const args = ["--conditions=@proxy/source", path("../../../apps/gateway/src/main.ts"), "run", "--strict", "--config", path("../gateway.json"), "--urls", "http://127.0.0.1:0"];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  gateway = child;
  const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`the gateway ended with ${code}`)));
  const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  ended.catch(() => {});
  port = Number(/:(\d+)\n/.exec(line.toString())?.[1]);
});
afterAll(async () => {
  if (gateway.exitCode === null && gateway.kill("SIGTERM")) await once(gateway, "exit");
  for (const server of [api, issuer.server]) server.close().closeAllConnections();
});

async function ask(target: string, headers: Readonly<Record<string, string>> = {}, method = "GET") {
  const sending = request({ host: "127.0.0.1", port, path: target, method, headers, agent: false }).end();
  const [response] = (await once(sending, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}

const bearer = async (claims: Readonly<Record<string, unknown>>): Promise<Record<string, string>> => ({ Authorization: `Bearer ${await issuer.token(claims)}` });

test("those without a token are told that they need one", async () => {
  const refusal = await ask("/orders/7");
  expect([refusal.status, refusal.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="jwt", ApiKey realm="partners"']);
  expect((await ask("/anything")).status).toBe(401);
  expect((await ask("/health")).body).toBe("ok");
});

test("the API learns who it is, and not by what", async () => {
  const answer = await ask("/orders/7", { ...(await bearer({ sub: "ann", tenant: "north", scope: "orders.read" })), "X-User": "root", "X-Tenant": "all" });
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { user: "ann", tenant: "north" }]);
  const partner = await ask("/orders/7", { "X-Api-Key": apiKey, "X-Tenant": "all" });
  expect([partner.status, JSON.parse(partner.body)]).toEqual([200, { user: "warehouse" }]);
});

test("methods need their scopes", async () => {
  const reader = await bearer({ sub: "bob", scope: "orders.read" });
  const writer = await bearer({ sub: "eve", scope: "orders.write" });
  expect([(await ask("/orders", reader, "POST")).status, (await ask("/orders", writer, "POST")).status, (await ask("/orders", writer, "DELETE")).status]).toEqual([403, 200, 403]);
});

test("each user has a limit of their own", async () => {
  const some = await bearer({ sub: "some", scope: "orders.read" });
  for (let i = 0; i < 5; i++) expect((await ask("/orders", some)).status).toBe(200);
  const refusal = await ask("/orders", some);
  expect([refusal.status, Number(refusal.headers["retry-after"]) > 0]).toEqual([429, true]);
  expect((await ask("/orders", await bearer({ sub: "other", scope: "orders.read" }))).status).toBe(200);
});
