import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { TokenClaims } from "../../src/authentication/bearer/token-claims.ts";
import { TokenRules } from "../../src/authentication/bearer/token-rules.ts";

const name = fc.oneof(fc.constantFrom("a", "b", "a.b", "b.a", "a.b.c", "__proto__", "constructor", ""), fc.string({ maxLength: 4 }));
const text = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const payloads = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, text, fc.array(fc.oneof(text, tie("object")), { maxLength: 3 }), tie("object")),
  object: fc.dictionary(name, tie("value"), { maxKeys: 4 }),
})).object as fc.Arbitrary<Record<string, unknown>>;

/** As a token brings them. */
const parsed = (payload: Record<string, unknown>): Record<string, unknown> => JSON.parse(JSON.stringify(payload)) as Record<string, unknown>;

describe("the claims of a token", () => {
  it("are the same asked for by name and all at once", () => {
    fc.assert(fc.property(payloads, fc.array(name), (payload, others) => {
      const all = new Map(new TokenClaims(parsed(payload)));
      for (const each of [...all.keys(), ...others]) {
        const claims = new TokenClaims(parsed(payload));
        expect([claims.get(each), claims.has(each)]).toEqual([all.get(each), all.has(each)]);
      }
    }));
  });

  it("are texts: of lists, of paths through objects, and of nothing that an object inherits", () => {
    const claims = new TokenClaims({ sub: "ann", admin: true, level: 3, none: null, empty: [], roles: ["a", 1, null, {}], realm: { roles: ["b"], "x.y": "z" }, "realm.roles": "own" });
    expect(Object.fromEntries(claims)).toEqual({ sub: ["ann"], admin: ["true"], level: ["3"], roles: ["a", "1"], "realm.roles": ["own"], "realm.x.y": ["z"] });
    expect(claims.size).toBe(6);
    expect([claims.get("toString"), claims.get("realm"), claims.get("none"), claims.has("empty")]).toEqual([undefined, undefined, undefined, false]);
    const seen: string[] = [];
    claims.forEach((values, each) => seen.push(`${each}=${values.join()}`));
    expect(seen).toEqual([...claims.keys()].map((each, i) => `${each}=${[...claims.values()][i]?.join()}`));
  });
});

describe("the payload of a token", () => {
  const rules = new TokenRules({ issuer: "i", audiences: ["a"] });
  const isMalformed = (payload: string): boolean => rules.claimsOf(`e30.${payload}.e30`, 0) === "the token is malformed";
  const isRefused = (payload: string): boolean => {
    try {
      decodeJwt(`e30.${payload}.e30`);
      return false;
    } catch {
      return true;
    }
  };

  it("is read as jose reads it, whatever the bytes", () => {
    const base64url = fc.string({ unit: fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), minLength: 1 });
    const encoded = fc.oneof(
      base64url,
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.json().map((json) => Buffer.from(json).toString("base64url")),
      fc.tuple(fc.uint8Array({ maxLength: 4 }), fc.constantFrom("", "\u{feff}", " ")).map(([bytes, before]) => Buffer.concat([Buffer.from(`${before}{"x":"`), bytes, Buffer.from('"}')]).toString("base64url")),
    );
    fc.assert(fc.property(encoded, (payload) => {
      expect([payload, isMalformed(payload)]).toEqual([payload, isRefused(payload)]);
    }), { numRuns: 1000 });
  });

  it("is an object of UTF-8, with nothing left over", () => {
    const encode = (value: string | Uint8Array): string => Buffer.from(value as string).toString("base64url");
    for (const payload of ["[]", '"x"', "null", "1", "{", '{"a":1}x'].map(encode)) expect([payload, isMalformed(payload)]).toEqual([payload, true]);
    expect(isMalformed(encode(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))).toBe(true);
    expect([isMalformed(encode('{"é":1}')), isMalformed(`${encode('{"a":123}')}A`)]).toEqual([false, true]);
  });
});

describe("heads of tokens", () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  it("are told apart though one begins like another, and one that was refused stays refused behind one that is good", () => {
    const rules = new TokenRules({ issuer: "i", audiences: ["a"] });
    const head = (value: unknown): unknown => rules.headOf(`${part(value)}.e30.e30`);
    const good = { alg: "RS256", kid: "k" };
    for (let i = 0; i < 2; i++) {
      expect(head(good)).toEqual({ algorithm: "RS256", kid: "k" });
      expect(head({ alg: "RS256", kid: "k", crit: ["x"] })).toBe("the token asks for an extension that is not known");
      expect(head({ alg: "none" })).toBe("the token's algorithm is not accepted");
      expect(head({ alg: "RS256", kid: "k2" })).toEqual({ algorithm: "RS256", kid: "k2" });
      expect(rules.headOf(`${part(good)}A.e30.e30`)).not.toEqual({ algorithm: "RS256", kid: "k" });
    }
  });
});
