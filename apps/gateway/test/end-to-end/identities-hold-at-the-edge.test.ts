import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import { configFolder } from "../support/config-file.ts";
import { getRaw, sendRaw } from "../support/raw-client.ts";
import { startGateway } from "../support/running-gateway.ts";

/** Answers with the fields that it was sent. */
async function destination() {
  const server = createServer((request, response) => response.end(JSON.stringify(request.rawHeaders)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const { publicKey, privateKey } = await generateKeyPair("ES256");
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
const token = (claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "k" }).setIssuer("https://login.example").setAudience("api").setExpirationTime("1h").sign(privateKey);

const policies = {
  Authentication: { jwt: { Bearer: { Issuer: "https://login.example", Audiences: ["api"], KeyFile: "keys.json" } } },
  Authorization: { Fallback: { Forward: { Headers: { "X-User": "@name", "X-Roles": "roles" }, Token: "Remove" } }, admins: { Roles: ["admin"] } },
};
const route = (path: string, policy?: string) => ({ ClusterId: "c", Match: { Path: path }, ...(policy === undefined ? {} : { AuthorizationPolicy: policy }) });

test("identities of a file: only who may gets through, and destinations learn of them from the gateway alone", async () => {
  await using folder = await configFolder();
  await using behind = await destination();
  await folder.write("keys.json", jwks);
  const file = await folder.write("gateway.json", {
    Policies: policies,
    ReverseProxy: {
      Routes: { all: route("/{**rest}"), admin: route("/admin/{**rest}", "Admins"), open: route("/open/{**rest}", "anonymous") },
      Clusters: { c: { Destinations: { d: { Address: behind.url } } } },
    },
  });
  await using gateway = await startGateway([file], { strict: true });
  const spoofs = "X-User: root\r\nx_user: root\r\nX-Roles: admin\r\n";
  const ann = `Authorization: Bearer ${await token({ sub: "ann", roles: ["staff", "admin"] })}\r\n`;
  const bob = `Authorization: Bearer ${await token({ sub: "bob\r\nX-Roles: admin" })}\r\n`;

  const refusal = await getRaw(gateway.port, "/", "h", spoofs);
  expect(refusal).toMatch(/^HTTP\/1\.1 401 [^]*\r\nWWW-Authenticate: Bearer realm="jwt"\r\n/);
  const known = await getRaw(gateway.port, "/", "h", spoofs + ann);
  expect(known).toContain('"X-User","ann","X-Roles","staff,admin"');
  expect(known).not.toMatch(/root|Bearer/);
  expect(await getRaw(gateway.port, "/", "h", bob)).toContain('"X-User","bob%0D%0AX-Roles%3A admin"'.replace("%3A", ":"));
  expect(await getRaw(gateway.port, "/admin/x", "h", bob)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await getRaw(gateway.port, "/admin/x", "h", ann)).toMatch(/^HTTP\/1\.1 200 /);
  const open = await getRaw(gateway.port, "/open/x", "h", spoofs);
  expect(open).toMatch(/^HTTP\/1\.1 200 /);
  expect(open).not.toMatch(/root|X-Roles/);
  const chunked = `POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-User\r\nConnection: close\r\n\r\n0\r\nX-User: root\r\n\r\n`;
  expect(await sendRaw(gateway.port, chunked)).toMatch(/^HTTP\/1\.1 200 /);
});

test("schemes and policies that make no sense keep the gateway from starting, all told at once", async () => {
  await using folder = await configFolder();
  const file = await folder.write("gateway.json", {
    Policies: { ...policies, Authorization: { ...policies.Authorization, p: { Schemes: ["jwtt"], All: ["q"] } } },
    ReverseProxy: { Routes: { all: route("/{**rest}", "other") }, Clusters: { c: {} } },
  });
  const error = (await startGateway([file]).catch((given: unknown) => given)) as { issues: { pointer: string }[] };
  expect(error.issues.map(({ pointer }) => pointer)).toEqual([
    "/ReverseProxy/Routes/all/AuthorizationPolicy",
    "/Policies/Authentication/jwt/Bearer/KeyFile",
    "/Policies/Authorization/p/Schemes/0",
    "/Policies/Authorization/p/All/0",
  ]);
});
