import { constants, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportSPKI, importJWK, type CryptoKey } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { BearerConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
// @boundaries-ignore the doubles of the pipeline's own tests
import { RecordedEvents } from "../../../pipeline/test/support/recorded-events.ts";
import { configOf, edgeProxy } from "../proxies.ts";
import { replaceFile } from "./changed-file.ts";
import { audience, Issuer, issuer } from "./issuer.ts";

const down = (): never => {
  throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
};

async function guarded(bearer: BearerConfig = {}, begin: (provider: Issuer) => unknown = () => {}) {
  const provider = new Issuer();
  await provider.addKey("k1", "ES256");
  await begin(provider);
  const clock = new FakeClock();
  const events = new RecordedEvents();
  const config = configOf(
    { authentication: { jwt: { bearer: { issuer, audiences: [audience], ...bearer } } }, authorization: { p: {} } },
    { authorizationPolicy: "p" },
  );
  const { send, proxy } = await edgeProxy(config, { clock, fetch: provider.fetch, logger: events }, { clock });
  const asking = async (token: string) => (await send({ headers: [["Authorization", `Bearer ${token}`]] })).response;
  return {
    provider,
    clock,
    events,
    proxy,
    config,
    asking,
    status: async (kid = "k1", claims?: Record<string, unknown>) => (await asking(await provider.token(kid, clock.date(), claims))).status,
    jwksAsked: () => provider.asked.filter((url) => url.endsWith("/jwks")).length,
    /** So many events of that name were told: what nobody waits for is over then. */
    told: (name: string, count: number) => vi.waitUntil(() => events.named(name).length === count, { timeout: 30_000 }),
  };
}

describe("an issuer that is down at start", () => {
  it("is answered for with 503 and Retry-After, and asked again after a pause that grows", async () => {
    const { provider, status, asking, clock, events } = await guarded({}, (each) => (each.answer = down));
    const token = await provider.token("k1", clock.date());
    const refusal = await asking(token);
    expect([refusal.status, refusal.header("Retry-After"), refusal.header("WWW-Authenticate")]).toEqual([503, "1", undefined]);
    const before = provider.asked.length;
    expect(await status()).toBe(503);
    expect(provider.asked.length).toBe(before);
    for (const pause of [1000, 2000, 4000]) {
      const asked = provider.asked.length;
      clock.set(clock.now() + pause);
      expect(await status()).toBe(503);
      expect(provider.asked.length).toBe(asked + 1);
    }
    provider.answer = undefined;
    clock.set(clock.now() + 8000);
    expect(await status()).toBe(200);
    expect(events.named("signing-keys-unavailable").map(({ level }) => level)).toEqual(["error", "error", "error", "error"]);
    expect(events.named("signing-keys-read").length).toBe(1);
  });

  it("lets those who have no token know at once that they need one", async () => {
    const { asking } = await guarded({}, (each) => (each.answer = down));
    expect((await asking("")).status).toBe(401);
    expect((await asking("not-a-token")).status).toBe(401);
  });

  it("is asked once for all requests that wait", async () => {
    const gate = Promise.withResolvers<Response>();
    const { provider, status, clock } = await guarded({}, (each) => (each.answer = () => gate.promise));
    const waiting = Promise.all([status(), status(), status()]);
    await vi.waitUntil(() => provider.asked.length > 0);
    provider.answer = undefined;
    gate.resolve(Response.json({ issuer, jwks_uri: `${issuer}/jwks` }));
    expect(await waiting).toEqual([200, 200, 200]);
    expect(provider.asked.length).toBe(2);
    expect(clock.pending).toEqual([]);
  });

  it("is waited for by requests that came before a reload", async () => {
    const gate = Promise.withResolvers<Response>();
    const { provider, asking, proxy, config, clock } = await guarded({}, (each) => (each.answer = () => gate.promise));
    const waiting = asking(await provider.token("k1", clock.date()));
    const changed = { jwt: { bearer: { issuer, audiences: [audience], clockSkew: 1000 } } };
    await proxy.update({ ...config, policies: { ...config.policies, authentication: changed } });
    provider.answer = undefined;
    gate.resolve(Response.json({ issuer, jwks_uri: `${issuer}/jwks` }));
    expect((await waiting).status).toBe(200);
    await proxy.close();
  });

  it("that answers with what is none is down", async () => {
    const answers: (() => Response)[] = [
      () => new Response("{", { status: 200 }),
      () => new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } }),
      () => new Response("x".repeat(600_000)),
      () => new Response("down", { status: 500 }),
      () => Response.json({ issuer: "https://evil.example", jwks_uri: `${issuer}/jwks` }),
      () => Response.json({ issuer, jwks_uri: "http://login.example/jwks" }),
      () => Response.json({ issuer }),
      () => Response.json({ issuer, jwks_uri: `${issuer}/jwks`, keys: [] }),
    ];
    for (const answer of answers) {
      const { status, events } = await guarded({}, (each) => (each.answer = answer));
      expect(await status()).toBe(503);
      expect(events.named("signing-keys-unavailable").length).toBe(1);
    }
  });
});

describe("an issuer that goes away later", () => {
  it("has its keys go on", async () => {
    const { provider, status, clock, events, told } = await guarded();
    expect(await status()).toBe(200);
    provider.answer = down;
    for (let i = 1; i <= 3; i++) {
      clock.set(clock.now() + 600_000);
      expect(await status()).toBe(200);
      await told("signing-keys-unavailable", i);
    }
    expect(events.named("signing-keys-unavailable").every(({ level }) => level === "warning")).toBe(true);
    provider.answer = undefined;
    clock.set(clock.now() + 600_000);
    expect(await status()).toBe(200);
  });

  it("cannot be asked about a key that is new: 503", async () => {
    const { provider, status } = await guarded();
    expect(await status()).toBe(200);
    await provider.addKey("k2", "ES256");
    provider.answer = down;
    expect(await status("k2")).toBe(503);
    expect(await status("k1")).toBe(200);
  });
});

describe("keys that change while requests come", () => {
  it("are asked for when a token names one that is not known, once for each half minute", async () => {
    const { provider, status, clock, jwksAsked } = await guarded();
    expect(await status()).toBe(200);
    await provider.addKey("k2", "ES256");
    expect([await status("k2"), await status("k1"), jwksAsked()]).toEqual([200, 200, 2]);
    for (let i = 0; i < 5; i++) {
      const forged = await provider.token("k1", clock.date(), {}, { kid: `made-up-${i}` });
      expect([forged.length > 0, jwksAsked()]).toEqual([true, 2]);
    }
    await provider.addKey("k3", "ES256");
    expect([await status("k3"), jwksAsked()]).toEqual([401, 2]);
    clock.set(clock.now() + 30_000);
    expect([await status("k3"), jwksAsked()]).toEqual([200, 3]);
  });

  it("are not asked for again and again for names that somebody makes up", async () => {
    const { provider, asking, clock, jwksAsked } = await guarded();
    for (let i = 0; i < 20; i++) expect((await asking(await provider.token("k1", clock.date(), {}, { kid: `x${i}` }))).status).toBe(401);
    expect(jwksAsked()).toBe(2);
  });

  it("end what was good by those that are gone, though it was checked before", async () => {
    const { provider, asking, status, clock, told } = await guarded({ cacheDuration: 86_400_000 });
    const old = await provider.token("k1", clock.date(), { exp: clock.date() / 1000 + 86_400 });
    expect((await asking(old)).status).toBe(200);
    await provider.addKey("k2", "ES256");
    provider.keys = provider.keys.filter(({ kid }) => kid !== "k1");
    clock.set(clock.now() + 600_000);
    // Read in the background by whoever comes first.
    expect(await status("k2")).toBe(200);
    await told("signing-keys-read", 2);
    expect((await asking(old)).status).toBe(401);
  });

  it("stay over reloads that do not concern them", async () => {
    const { provider, status, proxy, config } = await guarded();
    expect(await status()).toBe(200);
    const asked = provider.asked.length;
    await proxy.update({ ...config, policies: { ...config.policies, authorization: { p: {}, q: {} } } });
    expect([await status(), provider.asked.length]).toEqual([200, asked]);
  });
});

describe("a token that was good", () => {
  it("is good for a time without being checked, until it expires", async () => {
    const { provider, asking, clock } = await guarded({ cacheDuration: 60_000 });
    const token = await provider.token("k1", clock.date(), { exp: clock.date() / 1000 + 30 });
    expect((await asking(token)).status).toBe(200);
    clock.set(clock.now() + 59_000);
    expect((await asking(token)).status).toBe(200);
    // A minute more than it says, for clocks that differ.
    clock.set(90_000);
    expect((await asking(token)).status).toBe(401);
  });
});

describe("keys in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "keys-"));
  const file = join(folder, "keys.pem");
  const write = (text: string): void => writeFileSync(file, text);
  const provider = new Issuer();
  const pem = async (index: number): Promise<string> => exportSPKI((await importJWK(provider.keys[index] ?? {}, "ES256", { extractable: true })) as CryptoKey);

  beforeAll(async () => {
    await provider.addKey("k1", "ES256");
    await provider.addKey("k2", "ES256");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are read at load and again when it changes; one that cannot be used changes nothing", async () => {
    write(await pem(0));
    const { asking, clock, events } = await guarded({ keyFile: file });
    const status = async (kid: string) => (await asking(await provider.token(kid, clock.date()))).status;
    expect([await status("k1"), await status("k2")]).toEqual([200, 401]);
    await replaceFile(file, "nothing", () => events.named("signing-keys-unavailable").length > 0);
    expect(await status("k1")).toBe(200);
    await replaceFile(file, JSON.stringify({ keys: [provider.keys[1]] }), () => events.named("signing-keys-read").length > 0);
    expect([await status("k1"), await status("k2")]).toEqual([401, 200]);
  });

  it("may be bound to one digest: tokens with another are none of theirs", async () => {
    // The types say that it is text; Node takes a number alone.
    const saltLength = 32 as unknown as string;
    const { publicKey, privateKey } = generateKeyPairSync("rsa-pss", { modulusLength: 2048, hashAlgorithm: "sha256", mgf1HashAlgorithm: "sha256", saltLength });
    write(publicKey.export({ type: "spki", format: "pem" }).toString());
    const { asking, clock } = await guarded({ keyFile: file });
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: issuer, aud: audience, sub: "ann", exp: clock.date() / 1000 + 60 };
    const text = `${encode({ alg: "PS256" })}.${encode(claims)}`;
    expect((await asking(`${text}.${sign("sha256", Buffer.from(text), { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString("base64url")}`)).status).toBe(200);
    expect((await asking(`${encode({ alg: "PS512" })}.${encode(claims)}.${Buffer.alloc(256, 1).toString("base64url")}`)).status).toBe(401);
  });

  it("that is not there, holds nothing or a private key is an error at load, with its place", async () => {
    for (const [text, message] of [["x", "there is no key that checks signatures"], ["-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----", "it holds a private key"]] as const) {
      write(text);
      await expect(guarded({ keyFile: file })).rejects.toThrow(message);
    }
    const error = (await guarded({ keyFile: join(folder, "none") }).catch((given: unknown) => given)) as { issues: { path: unknown }[] };
    expect(error.issues[0]?.path).toEqual(["Policies", "Authentication", "jwt", "Bearer", "KeyFile"]);
  });
});
