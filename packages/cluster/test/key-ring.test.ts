import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAffinityPolicies, createKeyRing } from "@proxy/cluster";
import { destinationsOf } from "./support/clusters.ts";
import { exchangeOf } from "./support/exchanges.ts";

const secrets = ["the first secret, long enough 0123", "the second secret, long enough 012"] as const;
const text = (value: string): Uint8Array => Buffer.from(value, "utf8");

describe("a key ring", () => {
  it("gives back what it protected, for that purpose alone", () => {
    const ring = createKeyRing({ secrets });
    const sealed = ring.protect("Cookie\nk", text("dest-1"));
    expect(Buffer.from(ring.unprotect("Cookie\nk", sealed) ?? []).toString()).toBe("dest-1");
    expect(ring.unprotect("Cookie\nother", sealed)).toBeUndefined();
    expect(Buffer.from(sealed).includes("dest-1")).toBe(false);
  });

  it("protects anew each time: equal destinations have different keys", () => {
    const ring = createKeyRing();
    expect(ring.protect("p", text("d"))).not.toEqual(ring.protect("p", text("d")));
  });

  it("reads what another with the same secret protected, whatever place it has there", () => {
    const sealed = createKeyRing({ secrets: [secrets[0]] }).protect("p", text("d"));
    expect(createKeyRing({ secrets: [secrets[1], secrets[0]] }).unprotect("p", sealed)).toBeDefined();
    expect(createKeyRing({ secrets: [secrets[1]] }).unprotect("p", sealed)).toBeUndefined();
    expect(createKeyRing().unprotect("p", sealed)).toBeUndefined();
  });

  it("of another use reads nothing, also with the same secret", () => {
    const sealed = createKeyRing({ secrets }).protect("p", text("d"));
    expect(createKeyRing({ secrets, use: "session affinity" }).unprotect("p", sealed)).toBeDefined();
    expect(createKeyRing({ secrets, use: "session cookie" }).unprotect("p", sealed)).toBeUndefined();
  });

  it("notices each bit that was changed", () => {
    const ring = createKeyRing({ secrets });
    const sealed = ring.protect("p", text("dest-1"));
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(ring.unprotect("p", changed), `bit ${bit}`).toBeUndefined();
    }
  });

  it("makes nothing of arbitrary bytes, and never throws", () => {
    const ring = createKeyRing({ secrets });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => ring.unprotect("p", bytes) === undefined));
  });

  it("refuses secrets that are too short, missing or doubled, without telling them", () => {
    expect(() => createKeyRing({ secrets: ["short"] })).toThrow(/^secret 1 of the key ring is shorter than 32 bytes$/);
    expect(() => createKeyRing({ secrets: [] })).toThrow("needs a secret");
    expect(() => createKeyRing({ secrets: [secrets[0], secrets[0]] })).toThrow("twice");
  });
});

describe("keys that clients send", () => {
  const policies = createAffinityPolicies({ protector: createKeyRing({ secrets }) });
  const available = destinationsOf(["a", 0], ["b", 0]);
  const settings = { enabled: true, affinityKeyName: "k" };

  it("of any form are found or not, and never an exception", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...policies.names), fc.string({ maxLength: 80 }), async (name, value) => {
        const { exchange } = exchangeOf({ headers: [["Cookie", `k=${value}`], ["k", value]] });
        const found = await policies.get(name).find(exchange, settings, available);
        expect(["AffinityKeyNotSet", "AffinityKeyExtractionFailed", "DestinationNotFound"]).toContain(found.status);
      }),
    );
  });

  it("that are too long, not Base64 or not spelt in its one way are unreadable", async () => {
    for (const value of ["A".repeat(4_000), "*not*base64*", "AB", "AAAA\u00ff"]) {
      const { exchange } = exchangeOf({ headers: [["Cookie", `k=${value}`]] });
      expect(await policies.get("Cookie").find(exchange, settings, available)).toMatchObject({ status: "AffinityKeyExtractionFailed" });
    }
  });

  it("are taken from the cookie of that very name, the first of them", async () => {
    const policy = policies.get("HashCookie");
    const find = async (...lines: readonly string[]) => {
      const { exchange } = exchangeOf({ headers: lines.map((line) => ["Cookie", line] as const) });
      return (await policy.find(exchange, { enabled: true, affinityKeyName: "k" }, destinationsOf(["dest-A", 0], ["dest-B", 0]))).destinations[0]?.id;
    };
    expect(await find("kk=53c079ed4c377b0d; K=53c079ed4c377b0d;k=615d6cd1b28160f0")).toBe("dest-A");
    expect(await find("x=k=53c079ed4c377b0d")).toBeUndefined();
    expect(await find("a=1", "k=615d6cd1b28160f0; k=53c079ed4c377b0d")).toBe("dest-A");
    expect(await find("k=%36%31%35d6cd1b28160f0")).toBe("dest-A");
  });
});
