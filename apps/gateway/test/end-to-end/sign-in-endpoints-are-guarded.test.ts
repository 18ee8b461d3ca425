/** Where browsers come back to from a sign-in no route's policies hold: those for everybody do. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { getRaw, sendRaw, statusOf } from "../support/raw-client.ts";
import { startGateway } from "../support/running-gateway.ts";

const origin = "https://app.test";

/** A party that gives no tokens to anybody, and counts how often it was asked for them. */
async function issuer() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on("end", () => response.writeHead(400, { "Content-Type": "application/json" }).end('{"error":"invalid_grant"}'));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close().closeAllConnections();
      await once(server, "close");
    },
  };
}

async function site(url: string, policies: Readonly<Record<string, unknown>>) {
  const folder = await configFolder();
  const file = await folder.write("gateway.json", {
    Server: { TrustedProxies: ["127.0.0.1"] },
    Policies: {
      Authentication: {
        session: { Cookie: {} },
        hub: {
          OAuth2: {
            AuthorizationEndpoint: `${url}/auth`, TokenEndpoint: `${url}/token`, UserInformationEndpoint: `${url}/me`,
            ClientId: "gateway", ClientSecret: "secret", PublicOrigin: origin, LoginPath: "/login", LogoutPath: "/logout",
          },
        },
      },
      Authorization: { users: { Schemes: ["hub"] } },
      ...policies,
    },
    ReverseProxy: {
      Routes: {
        app: { ClusterId: "c", Match: { Path: "/{**rest}" }, AuthorizationPolicy: "users" },
        // No endpoint is on it, though the path would fit.
        callback: { ClusterId: "c", Match: { Path: "/signin-hub" }, RateLimiterPolicy: "Disable", AccessPolicy: "Disable" },
      },
      Clusters: { c: { Destinations: { d: { Address: "http://127.0.0.1:1" } } } },
    },
  });
  const gateway = await startGateway([file], { strict: true });
  const from = (client: string) => (target: string, head = ""): Promise<string> => getRaw(gateway.port, target, "app.test", `X-Forwarded-For: ${client}\r\n${head}`);
  return {
    gateway,
    from,
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Begins a sign-in: the address that its answer comes to, and the cookie that belongs to it. */
async function begin(ask: (target: string) => Promise<string>) {
  const answer = await ask("/login");
  const location = /\r\nLocation: ([^\r]+)/.exec(answer)?.[1] ?? "";
  const state = new URL(location).searchParams.get("state");
  const cookie = /\r\nSet-Cookie: ([^;]+)/.exec(answer)?.[1] ?? "";
  return { target: `/signin-hub?code=made-up&state=${state}`, head: `Cookie: ${cookie}\r\n` };
}

test("the global limit counts what comes there, by the client's own address, before the issuer is asked anything", async () => {
  await using other = await issuer();
  await using here = await site(other.url, { RateLimiter: { Default: { PermitLimit: 3, Window: "1h" } } });
  const [flood, person] = [here.from("203.0.113.1"), here.from("203.0.113.2")];
  const { target, head } = await begin(flood);
  const { target: second, head: secondHead } = await begin(flood);
  const answers = [await flood(target, head), await flood(second, secondHead), await flood("/login"), await flood("/logout"), await flood("/")];
  expect(answers.map(statusOf)).toEqual([400, 429, 429, 429, 429]);
  expect(answers[1]).toMatch(/\r\nRetry-After: 3600\r\n/);
  expect(answers[0]).toMatch(/\r\nRateLimit: "default";r=0;t=3600\r\n/i);
  expect(answers[2]).not.toMatch(/set-cookie/i);
  expect(other.asked).toEqual(["POST /token"]);
  expect(statusOf(await person("/login"))).toBe(302);
  expect(statusOf(await person("/"))).toBe(401);
});

test("who is denied everywhere is denied there, and rules for requests hold", async () => {
  await using other = await issuer();
  await using here = await site(other.url, { Access: { Default: { DenyAddresses: ["203.0.113.66"], MaxTargetLength: 300, DenyHeaders: ["X-Debug"], MaxBodySize: 10 } } });
  const [denied, person] = [here.from("203.0.113.66"), here.from("203.0.113.2")];
  const { target, head } = await begin(person);
  for (const path of [target, "/login", "/logout", "/signin-hub"]) expect(statusOf(await denied(path, head)), path).toBe(403);
  expect(statusOf(await person(`/signin-hub?code=${"a".repeat(300)}`, head))).toBe(414);
  expect(statusOf(await person(target, `${head}X-Debug: 1\r\n`))).toBe(400);
  const post = (body: string): Promise<string> =>
    sendRaw(here.gateway.port, `POST /logout HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 203.0.113.2\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  expect([statusOf(await post("a=1")), statusOf(await post("a".repeat(11)))]).toEqual([403, 413]);
  expect(other.asked).toEqual([]);
  // Nothing of it used the sign-in up.
  expect(statusOf(await person(target, head))).toBe(400);
  expect(other.asked).toEqual(["POST /token"]);
});

test("limits that wait and those of requests at a time hold there, too", async () => {
  await using other = await issuer();
  await using here = await site(other.url, { RateLimiter: { Default: { Algorithm: "Concurrency", PermitLimit: 1, QueueLimit: 8, QueueTimeout: "1m", PartitionBy: "User" } } });
  const person = here.from("203.0.113.2");
  expect(await Promise.all(Array.from({ length: 8 }, async () => statusOf(await person("/login"))))).toEqual(Array.from({ length: 8 }, () => 302));
});
