import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { exportSPKI, importJWK, jwtVerify, SignJWT, type CryptoKey } from "jose";
import * as fc from "fast-check";
import type { BearerConfig } from "@proxy/config";
// @boundaries-ignore the doubles of the pipeline's own tests
import { FakeClock } from "../../../pipeline/test/support/fake-clock.ts";
import { configOf, edgeProxy } from "../proxies.ts";
import { audience, Issuer, issuer } from "./issuer.ts";

const base: BearerConfig = { issuer, audiences: [audience] };

async function guarded(bearer: BearerConfig = {}, prepare?: (provider: Issuer) => unknown) {
  const provider = new Issuer();
  await provider.addKey("k1");
  await prepare?.(provider);
  const clock = new FakeClock();
  const made = await edgeProxy(
    configOf({ authentication: { jwt: { bearer: { ...base, ...bearer } } }, authorization: { p: { forward: { headers: { "X-User": "@name" } } } } }, { authorizationPolicy: "p" }),
    { clock, fetch: provider.fetch },
    { clock },
  );
  const ask = async (token: string, field = `Bearer ${token}`) => (await made.send({ headers: [["Authorization", field]] })).response;
  return {
    ...made,
    provider,
    clock,
    ask,
    /** Status, and what the client is told. */
    async says(token: string): Promise<string> {
      const response = await ask(token);
      const told = /error_description="([^"]*)"/.exec(response.header("WWW-Authenticate") ?? "")?.[1];
      return told === undefined ? String(response.status) : `${response.status} ${told}`;
    },
    token: (claims?: Record<string, unknown>, head?: Record<string, unknown>, kid = "k1") => provider.token(kid, clock.date(), claims, head),
  };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a bearer token", () => {
  for (const alg of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
    it(`signed by ${alg} lets its owner pass`, async () => {
      const { token, says, clients } = await guarded({}, (provider) => provider.addKey("k2", alg));
      const text = await token({}, {}, "k2");
      expect(await says(text)).toBe("200");
      const seen = clients[0]?.calls[0]?.request.headers;
      expect([seen?.get("x-user"), seen?.get("authorization")]).toEqual(["ann", `Bearer ${text}`]);
      // The last character of a signature of that length has bits that mean nothing: one in the middle has not.
      const middle = text.length - 20;
      expect(await says(text.slice(0, middle) + (text[middle] === "A" ? "B" : "A") + text.slice(middle + 1))).toBe("401 the token's signature is wrong");
    });
  }

  it("that is missing is asked for, and other schemes are not this one's business", async () => {
    const { send, ask } = await guarded();
    expect((await send()).response.header("WWW-Authenticate")).toBe('Bearer realm="jwt"');
    expect((await ask("", "Basic YTpi")).header("WWW-Authenticate")).toBe('Bearer realm="jwt"');
  });

  it("is found whatever the case of the scheme, and refused where it is not one word", async () => {
    const { ask, token } = await guarded();
    const text = await token();
    expect((await ask("", `bEARER ${text}`)).status).toBe(200);
    for (const field of [`Bearer ${text} x`, `Bearer ${text},${text}`, "Bearer", `Bearer  ${text}`]) {
      const response = await ask("", field);
      expect([response.status, response.header("WWW-Authenticate")]).toEqual([401, 'Bearer realm="jwt", error="invalid_request", error_description="the Authorization field is malformed"']);
    }
  });

  it("beside another is refused, whichever comes first", async () => {
    const { send, token } = await guarded();
    const text = `Bearer ${await token()}`;
    for (const fields of [[text, text], [text, "Basic x"], ["Basic x", text]]) {
      const { response } = await send({ headers: fields.map((field) => ["Authorization", field] as const) });
      expect([response.status, response.header("WWW-Authenticate")]).toEqual([401, 'Bearer realm="jwt", error="invalid_request", error_description="there is more than one Authorization field"']);
    }
  });

  it("has to say whose and for whom it is, and when it ends", async () => {
    const { says, token, clock } = await guarded({ audiences: ["other", audience] });
    const now = clock.date() / 1000;
    const cases: [Record<string, unknown>, string][] = [
      [{}, "200"],
      [{ aud: ["x", audience] }, "200"],
      [{ aud: "x" }, "401 the token is for another audience"],
      [{ aud: [] }, "401 the token is for another audience"],
      [{ aud: undefined }, "401 the token is for another audience"],
      [{ aud: { api: true } }, "401 the token is for another audience"],
      [{ iss: `${issuer}/` }, "401 the token is of another issuer"],
      [{ iss: [issuer] }, "401 the token is of another issuer"],
      [{ iss: undefined }, "401 the token is of another issuer"],
      [{ exp: undefined }, "401 the token has no end"],
      [{ exp: String(now + 60) }, "401 the token has no end"],
      [{ exp: now - 59 }, "200"],
      [{ exp: now - 60 }, "401 the token has expired"],
      [{ nbf: now + 60 }, "200"],
      [{ nbf: now + 61 }, "401 the token is not valid yet"],
      [{ nbf: "soon" }, "401 the token is malformed"],
      [{ iat: now + 61 }, "401 the token is not valid yet"],
    ];
    for (const [claims, expected] of cases) expect([claims, await says(await token(claims))]).toEqual([claims, expected]);
  });

  it("is of a type that is asked for", async () => {
    const { says, token } = await guarded();
    for (const [typ, expected] of [["JWT", "200"], ["at+jwt", "200"], ["application/AT+jwt", "200"], [undefined, "200"], ["logout+jwt", "401 the token is of another type"], ["dpop+jwt", "401 the token is of another type"]] as const) {
      expect([typ, await says(await token({}, { typ }))]).toEqual([typ, expected]);
    }
    const strict = await guarded({ types: ["at+jwt"] });
    expect([await strict.says(await strict.token({}, { typ: "at+jwt" })), await strict.says(await strict.token({}, { typ: undefined }))]).toEqual(["200", "401 the token is of another type"]);
  });

  it("is known by scopes, and told which ones it lacks", async () => {
    const provider = new Issuer();
    await provider.addKey("k1");
    const clock = new FakeClock();
    const { send } = await edgeProxy(configOf({ authentication: { jwt: { bearer: base } }, authorization: { p: { scopes: ["read", "write"] } } }, { authorizationPolicy: "p" }), { clock, fetch: provider.fetch });
    const asking = async (scope: string) => (await send({ headers: [["Authorization", `Bearer ${await provider.token("k1", clock.date(), { scope })}`]] })).response;
    expect((await asking("write read")).status).toBe(200);
    const refusal = await asking("read");
    expect([refusal.status, refusal.header("WWW-Authenticate")]).toEqual([403, 'Bearer realm="jwt", error="insufficient_scope", scope="read write"']);
  });
});

describe("attacks with bearer tokens", () => {
  it("alg none, in every spelling and with or without a signature, is nothing", async () => {
    const { says, token, clock } = await guarded();
    const [, payload = "", signature = ""] = (await token()).split(".");
    for (const alg of ["none", "None", "NONE", "nOnE", "", null, 0]) {
      expect(await says(`${encode({ alg, kid: "k1", typ: "JWT" })}.${payload}.${signature}`)).toBe("401 the token's algorithm is not accepted");
    }
    expect(await says(`${encode({ alg: "none" })}.${payload}.`)).toBe("401 the token is malformed");
    expect(clock.date()).toBeGreaterThan(0);
  });

  it("a public key is no secret, in any of its forms", async () => {
    const { says, token, provider } = await guarded();
    const [, payload = ""] = (await token()).split(".");
    const key = (await importJWK(provider.keys[0] ?? {}, "RS256", { extractable: true })) as CryptoKey;
    const pem = await exportSPKI(key);
    const der = createPublicKey(pem).export({ type: "spki", format: "der" });
    for (const secret of [pem, pem.trim(), `${pem}\n`, der, JSON.stringify(provider.keys[0])]) {
      for (const alg of ["HS256", "HS384", "HS512"]) {
        const signed = `${encode({ alg, kid: "k1", typ: "JWT" })}.${payload}`;
        expect(await says(`${signed}.${createHmac(`sha${alg.slice(2)}`, secret).update(signed).digest("base64url")}`)).toBe("401 the token's algorithm is not accepted");
      }
    }
  });

  it("an algorithm that the key is not for is refused", async () => {
    const { says, token, provider } = await guarded({}, (each) => each.addKey("ec", "ES256"));
    const rs = new SignJWT({ iss: issuer, aud: audience, exp: 9_999_999_999 }).setProtectedHeader({ alg: "RS256", kid: "ec" });
    expect(await says(await rs.sign(provider.privateKey("k1")))).toBe("401 the token's key is not known");
    expect(await says(await token({}, {}, "ec"))).toBe("200");
    const narrow = await guarded({ algorithms: ["ES256"] });
    expect(await narrow.says(await narrow.token())).toBe("401 the token's algorithm is not accepted");
  });

  it("keys that a token brings along are not looked at, and nothing that it names is asked", async () => {
    const { says, token, provider } = await guarded();
    const own = new Issuer();
    await own.addKey("mine");
    for (const head of [{ jwk: own.keys[0] }, { jku: "https://evil.example/jwks" }, { x5u: "https://evil.example/cert" }, { x5c: ["MIIB"] }]) {
      const forged = await own.token("mine", Date.UTC(2026, 0, 1), {}, { kid: "k1", ...head } as never);
      expect(await says(forged)).toBe("401 the token's signature is wrong");
      const unnamed = await own.token("mine", Date.UTC(2026, 0, 1), {}, { kid: undefined, ...head } as never);
      expect(await says(unnamed)).toBe("401 the token's signature is wrong");
    }
    expect(provider.asked.filter((url) => !url.startsWith(issuer))).toEqual([]);
    expect(await says(await token())).toBe("200");
  });

  it("kid is a name and nothing else", async () => {
    const { says, token } = await guarded();
    for (const kid of ["../../dev/null", "k1' OR '1'='1", "__proto__", "constructor", "k1\u0000", "/etc/passwd"]) {
      expect(await says(await token({}, { kid }))).toBe("401 the token's key is not known");
    }
    for (const kid of [1, ["k1"], { k1: 1 }, null, "k".repeat(2000)]) expect(await says(`${encode({ alg: "RS256", kid })}.e30.AA`)).toBe("401 the token is malformed");
  });

  it("what is critical and not known is refused", async () => {
    const { says, token } = await guarded();
    expect(await says(await token({}, { crit: ["exp"], exp: 1 } as never))).toBe("401 the token asks for an extension that is not known");
    expect(await says(`${encode({ alg: "RS256", kid: "k1", b64: false })}.e30.AA`)).toBe("401 the token asks for an extension that is not known");
  });

  it("of claims that stand twice the last counts, as whoever signed them has it", async () => {
    const { says, provider, clock } = await guarded();
    const exp = clock.date() / 1000 + 60;
    const sign = async (payload: string): Promise<string> => {
      const signed = `${encode({ alg: "RS256", kid: "k1" })}.${Buffer.from(payload).toString("base64url")}`;
      const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", provider.privateKey("k1"), Buffer.from(signed));
      return `${signed}.${Buffer.from(signature).toString("base64url")}`;
    };
    expect(await says(await sign(`{"iss":"evil","aud":"api","exp":${exp},"iss":"${issuer}"}`))).toBe("200");
    expect(await says(await sign(`{"iss":"${issuer}","aud":"api","exp":${exp},"iss":"evil"}`))).toBe("401 the token is of another issuer");
    expect(await says(await sign(`{"__proto__":{"iss":"${issuer}"},"aud":"api","exp":${exp}}`))).toBe("401 the token is of another issuer");
    for (const payload of ["[]", '"x"', "null", "{", "\uFEFF{}"]) expect(await says(await sign(payload))).toMatch(/^401 the token is (malformed|of another issuer)$/);
  });

  it("huge and malformed ones cost no signature", async () => {
    const { says, token } = await guarded({ maxTokenSize: 1000 });
    expect(await says(await token({ pad: "x".repeat(2000) }))).toBe("401 the token is too long");
    const good = await token();
    for (const text of ["a", "a.b", `${good}.x`, `${good}=`, good.replace(".", ".."), good.replaceAll(".", "/"), `.${good}`, "é.é.é", `${good.slice(0, -2)}\u00e9`]) {
      expect(await says(text)).toBe("401 the token is malformed");
    }
  });

  it("weak, private, symmetric and foreign keys of an issuer check nothing", async () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const { token, says, provider } = await guarded({}, async (each) => {
      await each.addKey("enc", "RS256", { use: "enc" });
      await each.addKey("ops", "RS256", { use: undefined as never, key_ops: ["encrypt"] });
      each.keys.push({ ...weak.publicKey.export({ format: "jwk" }), kid: "weak" }, { kty: "oct", k: "c2VjcmV0", kid: "oct" }, { kty: "XYZ", kid: "new" }, { ...weak.privateKey.export({ format: "jwk" }), kid: "private" });
    });
    for (const kid of ["enc", "ops"]) expect(await says(await token({}, {}, kid))).toBe("401 the token's key is not known");
    const signed = `${encode({ alg: "HS256", kid: "oct" })}.${encode({ iss: issuer, aud: audience, exp: 9_999_999_999 })}`;
    expect(await says(`${signed}.${createHmac("sha256", "secret").update(signed).digest("base64url")}`)).toBe("401 the token's algorithm is not accepted");
    expect(await says(await provider.token("k1", Date.UTC(2026, 0, 1), {}, { kid: "weak" }))).toBe("401 the token's key is not known");
    expect(await says(await token())).toBe("200");
  });

  it("whatever is done to a token, jose judges it the same way", async () => {
    const { ask, token, provider, clock } = await guarded({ cacheDuration: 0 });
    const key = await importJWK(provider.keys[0] ?? {}, "RS256");
    const good = await token();
    const seen = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.constantFrom("A", "e", "_", ".", "=", "+", ""), fc.constantFrom(0, 1), async (at, put, cut) => {
        const text = good.slice(0, at) + put + good.slice(at + cut);
        const ours = (await ask(text)).status === 200;
        const options = { issuer, audience, algorithms: ["RS256"], currentDate: new Date(clock.date()), clockTolerance: 60 };
        const theirs = await jwtVerify(text, key, options).then(() => true, () => false);
        seen.add(ours);
        expect([text, ours]).toEqual([text, theirs]);
      }),
      { numRuns: 150, examples: [[0, "", 0]] },
    );
    expect(seen.size).toBe(2);
  });
});

describe("a shared secret", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const sign = (alg: string, by = secret) => new SignJWT({ iss: issuer, aud: audience, sub: "ann", exp: Date.UTC(2026, 0, 2) / 1000 }).setProtectedHeader({ alg }).sign(Buffer.from(by));

  it("signs by HS256, unless more is said", async () => {
    const { says } = await guarded({ secret });
    expect([await says(await sign("HS256")), await says(await sign("HS512", secret + secret)), await says(await sign("HS256", `${secret}x`))]).toEqual(["200", "401 the token's algorithm is not accepted", "401 the token's signature is wrong"]);
    const more = await guarded({ secret: secret + secret, algorithms: ["HS512"] });
    expect([await more.says(await sign("HS512", secret + secret)), await more.says(await sign("HS256", secret + secret))]).toEqual(["200", "401 the token's algorithm is not accepted"]);
  });
});
