/** Several schemes at one gateway over the wire: which challenge is given, whose word counts, and what no destination sees. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, expect, test } from "vitest";
// @boundaries-ignore certificates made by openssl, as the policies' own tests have them
import { Authority, derOf } from "../../../../packages/edge/test/authentication/certificates.ts";
import { configFolder, type ConfigFolder } from "../support/config-file.ts";
import { getRaw, statusOf } from "../support/raw-client.ts";
import { plainAnswer, startRawOrigin, type RawOrigin } from "../support/raw-origin.ts";
import { startGateway, type RunningGateway } from "../support/running-gateway.ts";
import { RawBrowser, startSignInParty, type SignInParty } from "../support/sign-in-party.ts";

const { publicKey, privateKey } = await generateKeyPair("ES256");
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
const tokenOf = (sub: string): Promise<string> =>
  new SignJWT({ sub }).setProtectedHeader({ alg: "ES256", kid: "k" }).setIssuer("https://login.example").setAudience("api").setExpirationTime("1h").sign(privateKey);
const key = "a key that nobody guesses, of a warehouse";

let folder: ConfigFolder;
let origin: RawOrigin;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  [folder, origin] = [await configFolder(), await startRawOrigin("app", () => plainAnswer("ok"))];
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
  await origin.close();
  await folder[Symbol.asyncDispose]();
});

async function gateway(authentication: Readonly<Record<string, unknown>>, authorization: Readonly<Record<string, unknown>>, server: Readonly<Record<string, unknown>> = {}): Promise<RunningGateway> {
  await folder.write("keys.json", jwks);
  const route = (path: string, policy?: string) => ({ ClusterId: "c", Match: { Path: path }, ...(policy === undefined ? {} : { AuthorizationPolicy: policy }) });
  const file = await folder.write("gateway.json", {
    Server: server,
    Policies: { Authentication: { jwt: { Bearer: { Issuer: "https://login.example", Audiences: ["api"], KeyFile: "keys.json" } }, ...authentication }, Authorization: authorization },
    ReverseProxy: {
      Routes: { ...Object.fromEntries(Object.keys(authorization).map((name) => [name, route(`/${name}/{**rest}`, name)])), free: route("/free/{**rest}") },
      Clusters: { c: { Destinations: { d: { Address: origin.url } } } },
    },
  });
  const started = await startGateway([file], { strict: true });
  open.push(started);
  return started;
}

const challenges = (answer: string): string[] => [...answer.matchAll(/\r\nWWW-Authenticate: ([^\r]*)/g)].map(([, value]) => value ?? "");
/** The head that the destination saw last. */
const head = (): string => origin.requests.at(-1) ?? "";

async function service(answer: (path: string, body: string) => readonly [number, Readonly<Record<string, string>>, string]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => (body += text));
    request.on("end", () => {
      asked.push(`${request.rawHeaders.join("\n")}\n\n${body}`);
      const [status, headers, text] = answer(String(request.headers["x-forwarded-uri"] ?? request.url), body);
      response.writeHead(status, headers).end(text);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  open.push({
    [Symbol.asyncDispose]: async () => {
      server.close().closeAllConnections();
      await once(server, "close");
    },
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test("each scheme says what it wants, and the first that knows who it is decides", async () => {
  const party: SignInParty = await startSignInParty();
  open.push(party);
  const { port } = await gateway(
    {
      keys: { ApiKey: { Query: "api_key", Header: "X-Api-Key", Keys: { warehouse: { Hash: createHash("sha256").update(key).digest("hex") } } } },
      session: { Cookie: {} },
      hub: { OAuth2: party.section },
    },
    { programs: { Schemes: ["jwt", "keys"], Forward: { Headers: { "X-User": "@name", "X-By": "@scheme" } } }, all: { Schemes: ["keys", "hub"], Forward: { Headers: { "X-User": "@name" } } } },
  );
  const ask = (target: string, ...lines: string[]): Promise<string> => getRaw(port, target, "app.test", lines.map((line) => `${line}\r\n`).join(""));
  expect(challenges(await ask("/programs/"))).toEqual(['Bearer realm="jwt"', 'ApiKey realm="keys"']);
  const bad = challenges(await ask("/programs/", "Authorization: Bearer a.b.c", "X-Api-Key: wrong"));
  expect([bad.length, bad[0], bad[1]]).toEqual([2, expect.stringMatching(/^Bearer realm="jwt", error="invalid_token"/), expect.stringMatching(/^ApiKey realm="keys", error="invalid_key"/)]);
  const encoded = encodeURIComponent(key);
  expect(statusOf(await ask(`/programs/a?x=1&api_key=${encoded}&y=%2F`, "Authorization: Bearer a.b.c"))).toBe(200);
  expect([/^GET (\S+)/.exec(head())?.[1], /\r\nX-User: ([^\r]*)/.exec(head())?.[1], /\r\nX-By: ([^\r]*)/.exec(head())?.[1]]).toEqual(["/programs/a?x=1&y=%2F", "warehouse", "keys"]);
  expect(statusOf(await ask("/programs/", `Authorization: Bearer ${await tokenOf("ann")}`, `X-Api-Key: ${key}`, "X-By: root", "X.By: root"))).toBe(200);
  expect([/\r\nX-User: ([^\r]*)/.exec(head())?.[1], head().includes(key), head().includes("root")]).toEqual(["ann", false, false]);
  // A person is sent elsewhere, a program is told.
  expect([...challenges(await ask("/all/", "Accept: application/json"))]).toEqual(['ApiKey realm="keys"', 'Cookie realm="hub"']);
  const page = await ask("/all/", "Accept: text/html");
  expect([statusOf(page), challenges(page), new URL(RawBrowser.locationOf(page)).origin]).toEqual([302, [], party.url]);
});

test("a service that decides is told of the request as it came, and its word is nobody else's", async () => {
  const { url, asked } = await service((path) => (path.startsWith("/ask/no") ? [403, { "X-Auth-User": "nobody", "Set-Cookie": "a=b" }, "no"] : [200, { "X-Auth-User": "ann", "X-Other": "o" }, ""]));
  const { port } = await gateway({ ask: { ForwardAuth: { Url: `${url}/decide`, ResponseHeaders: ["X-Auth-User"], NameHeader: "X-Auth-User", RequestHeaders: ["Authorization"] } } }, { ask: { Schemes: ["ask"], Forward: { Headers: { "X-User": "@name" } } } });
  const spoofs = "X-Auth-User: root\r\nX_Auth_User: root\r\nX.Auth.User: root\r\nX-User: root\r\nX-Forwarded-Uri: /ask/\r\nX-Forwarded-Method: GET\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: X-Auth-User, close\r\n";
  expect(statusOf(await getRaw(port, "/ask/a%2Fb?c=d", "app.test", `Authorization: Basic x\r\nCookie: secret=1\r\n${spoofs}`))).toBe(200);
  expect(asked[0]).toMatch(/x-forwarded-uri\n\/ask\/a%2Fb\?c=d\n/);
  expect(asked[0]).not.toMatch(/root|6\.6\.6\.6|secret/);
  expect([...head().matchAll(/\r\n(x[-_.](?:auth[-_.])?user): ([^\r]*)/gi)].map(([, name, value]) => `${name}: ${value}`.toLowerCase()).sort()).toEqual(["x-auth-user: ann", "x-user: ann"]);
  expect(head()).not.toContain("X-Other");
  const before = origin.requests.length;
  const refusal = await getRaw(port, "/ask/no", "app.test", spoofs);
  expect([statusOf(refusal), /\r\nSet-Cookie: a=b\r\n/i.test(refusal), origin.requests.length]).toEqual([403, true, before]);
  expect(statusOf(await getRaw(port, "/free/", "app.test", spoofs))).toBe(200);
  expect(head()).not.toMatch(/root/);
});

test("a certificate in a field counts from a trusted proxy alone, and goes no further", async () => {
  const authority = new Authority();
  open.push({ [Symbol.asyncDispose]: async () => authority.remove() });
  const issue = (subject: string): string => derOf(authority.issue({ subject, extensions: ["extendedKeyUsage=clientAuth"], until: "20350101000000Z" })).toString("base64");
  const [ann, bob] = [issue("/CN=ann"), issue("/CN=bob")];
  copyFileSync(authority.file, join(folder.path, "ca.pem"));
  const certs = { certs: { ClientCertificate: { Authorities: "ca.pem", Header: "X-Client-Cert" } } };
  const policy = { staff: { Schemes: ["certs"], Forward: { Headers: { "X-User": "cn" } } } };
  for (const [trusted, status] of [[["127.0.0.1"], 200], [["192.0.2.1"], 403], [[], 403]] as const) {
    const { port } = await gateway(certs, policy, { TrustedProxies: trusted });
    const ask = (...lines: string[]): Promise<string> => getRaw(port, "/staff/", "app.test", lines.map((line) => `${line}\r\n`).join(""));
    expect(statusOf(await ask(`X-Client-Cert: ${ann}`, "X-User: root")), trusted.join()).toBe(status);
    if (status === 200) expect([/\r\nX-User: ([^\r]*)/.exec(head())?.[1], head().includes(ann), head().includes("root")]).toEqual(["ann", false, false]);
    // A proxy that adds its field to that of a client says two things.
    for (const lines of [[`X-Client-Cert: ${bob}`, `X-Client-Cert: ${ann}`], [`X-Client-Cert: ${bob}, ${ann}`], [`X_Client_Cert: ${ann}`], [`X.Client.Cert: ${ann}`], [`X-Client-Cert: ${ann.slice(0, -8)}`], []]) expect(statusOf(await ask(...lines))).toBe(403);
    expect(statusOf(await getRaw(port, "/free/", "app.test", `X-Client-Cert: ${ann}\r\nX_Client_Cert: ${ann}\r\n`))).toBe(200);
    expect(head()).not.toContain(ann.slice(0, 40));
  }
});

test("a token goes on, stays here, or is another one for the destination; without that one nothing goes on", async () => {
  const { url, asked } = await service((_path, body) => {
    const subject = JSON.parse(Buffer.from(String(new URLSearchParams(body).get("subject_token")).split(".")[1] ?? "", "base64url").toString() || "{}") as { readonly sub?: string };
    const json = { "Content-Type": "application/json" };
    if (subject.sub === "eve") return [400, json, '{"error":"invalid_grant"}'];
    if (subject.sub === "bob") return [500, json, "{}"];
    return [200, json, JSON.stringify({ access_token: "for-the-destination", token_type: "Bearer", issued_token_type: "urn:ietf:params:oauth:token-type:access_token", expires_in: 300 })];
  });
  const { port } = await gateway({}, {
    keep: { Schemes: ["jwt"] },
    remove: { Schemes: ["jwt"], Forward: { Token: "Remove" } },
    forward: { Schemes: ["jwt"], Forward: { Token: "Forward" } },
    exchange: { Schemes: ["jwt"], Forward: { Token: "Exchange", Exchange: { Endpoint: `${url}/token`, ClientId: "gateway", ClientSecret: "secret", Audience: "orders" } } },
  });
  const ask = async (path: string, sub: string, more = ""): Promise<readonly [number, string[]]> => {
    const before = origin.requests.length;
    const answer = await getRaw(port, path, "app.test", `Authorization: Bearer ${await tokenOf(sub)}\r\n${more}`);
    return [statusOf(answer), origin.requests.length === before ? ["nothing"] : [...head().matchAll(/\r\nAuthorization: ([^\r]*)/gi)].map(([, value]) => value ?? "")];
  };
  expect(await ask("/keep/", "ann")).toEqual([200, [expect.stringMatching(/^Bearer ey/)]]);
  expect(await ask("/remove/", "ann")).toEqual([200, []]);
  expect(await ask("/forward/", "ann", "Connection: authorization, close\r\n")).toEqual([200, [expect.stringMatching(/^Bearer ey/)]]);
  expect(await ask("/exchange/", "ann", "Connection: authorization, close\r\n")).toEqual([200, ["Bearer for-the-destination"]]);
  expect(await ask("/exchange/", "eve")).toEqual([403, ["nothing"]]);
  expect(await ask("/exchange/", "bob")).toEqual([503, ["nothing"]]);
  expect(asked.length).toBe(3);
});
