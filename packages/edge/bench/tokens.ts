/**
 * What it costs to check a bearer token, in one process and without a network: `node --conditions=@proxy/source packages/edge/bench/tokens.ts` from the root. Rounds of all of them
 * take turns, since other work on the machine makes every one of them dearer; the cheapest round of each counts.
 */
import { createPublicKey, generateKeyPairSync, verify, type JsonWebKeyInput } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import { systemClock } from "@proxy/cluster";
import { HeaderList, type Exchange } from "@proxy/http";
import { silentLogger } from "@proxy/pipeline";
import { memorySignInStore } from "../src/index.ts";
import { bearerKind } from "../src/authentication/bearer/bearer-scheme.ts";

const issuer = "https://login.example";
const folder = mkdtempSync(join(tmpdir(), "bench-tokens-"));
const services = { clock: systemClock, fetch: globalThis.fetch, log: silentLogger, trusts: () => false, store: memorySignInStore(), withoutOwnCredentials: <T>(request: T): T => request, scheme: () => undefined };

for (const alg of ["RS256", "ES256"] as const) {
  const { publicKey, privateKey } = alg === "RS256" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k", alg };
  const token = await new SignJWT({ scope: "openid orders.read orders.write", roles: ["staff", "editor"], email: "ann@example.org", client_id: "spa" })
    .setProtectedHeader({ alg, kid: "k", typ: "at+jwt" }).setIssuer(issuer).setAudience("api").setSubject("0f3ec1a5-7b51-4c1b-9f0e-5d9a3c1b7e42").setIssuedAt().setExpirationTime("1d").sign(privateKey);
  const keyFile = join(folder, `${alg}.json`);
  writeFileSync(keyFile, JSON.stringify({ keys: [jwk] }));
  const schemeWith = (cacheDuration: number) => bearerKind.create("jwt", { issuer, audiences: ["api"], keyFile, cacheDuration }, services);
  const each = schemeWith(0);
  const kept = schemeWith(60_000);
  const exchange = { request: { headers: HeaderList.from([["Host", "h"], ["Accept", "*/*"], ["Authorization", `Bearer ${token}`]]) } } as unknown as Exchange;
  const key = createPublicKey({ key: jwk, format: "jwk" } as JsonWebKeyInput);
  const end = token.lastIndexOf(".");
  const signed = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  const keys = createLocalJWKSet({ keys: [jwk] });

  const ways: Readonly<Record<string, () => unknown>> = {
    "the signature alone": () => verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature),
    "checked each time": () => each.authenticate(exchange),
    "checked before": () => kept.authenticate(exchange),
    "jose, by WebCrypto": () => jwtVerify(token, keys, { issuer, audience: "api", algorithms: [alg] }),
  };
  const best = new Map<string, number>();
  for (let round = 0; round < 8; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const count = 2000;
      const before = process.cpuUsage();
      for (let i = 0; i < count; i++) {
        const result = run();
        if (result instanceof Promise) await result;
      }
      const { user, system } = process.cpuUsage(before);
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, (user + system) / count));
    }
  }
  for (const [name, microseconds] of best) process.stdout.write(`${alg}  ${name.padEnd(22)} ${microseconds.toFixed(1)} µs of CPU\n`);
}
rmSync(folder, { recursive: true });
