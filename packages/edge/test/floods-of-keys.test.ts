import { describe, expect, it } from "vitest";
import { memoryRateLimitStore, type RateLimit } from "../src/index.ts";
import { CountTable, type PlaceMeaning } from "../src/rate-limiter/count-table.ts";
import { KeyedHash } from "../src/rate-limiter/keyed-hash.ts";
import { networkOf } from "../src/rate-limiter/partition.ts";

const algorithms = ["FixedWindow", "SlidingWindow", "TokenBucket"] as const;

function address(i: number): string {
  return `${(i >>> 24) & 255}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`;
}

describe("a flood of keys", () => {
  for (const algorithm of algorithms) {
    it(`lets nobody who is near the limit start over (${algorithm})`, () => {
      const limit: RateLimit = { algorithm, permits: 10, window: 60_000 };
      const store = memoryRateLimitStore(limit, { maxKeys: 1024, name: "p" });
      const take = (key: string, now: number): boolean => (store.take(key, now) as { allowed: boolean }).allowed;
      for (let i = 0; i < 10; i++) expect(take("offender", 0)).toBe(true);
      expect(take("offender", 0)).toBe(false);
      for (let i = 0; i < 50_000; i++) take(address(i), 1);
      expect(take("offender", 2)).toBe(false);
    });
  }

  it("makes the table no larger than its bound", () => {
    const meaning: PlaceMeaning = { isExpired: () => false, weight: (table, place) => table.count[place] as number };
    const table = new CountTable(4096, meaning);
    for (let i = 0; i < 100_000; i++) table.placeOf(address(i), 0);
    expect(table.capacity).toBe(4096);
  });
});

describe("a table that grows", () => {
  it("keeps every count", () => {
    const store = memoryRateLimitStore({ algorithm: "FixedWindow", permits: 3, window: 60_000 }, { maxKeys: 1_048_576, name: "p" });
    const remaining = (key: string): number => (store.take(key, 0) as { remaining: number }).remaining;
    const keys = Array.from({ length: 20_000 }, (_, i) => address(i * 7919));
    for (const key of keys) expect(remaining(key)).toBe(2);
    // A set may be full before the table is: so few of them were forgotten.
    expect(keys.filter((key) => remaining(key) !== 1).length).toBeLessThan(20);
  });

  it("gives up what has expired before anything else", () => {
    const meaning: PlaceMeaning = { isExpired: (table, place, now) => (table.time[place] as number) < now, weight: () => 0 };
    const table = new CountTable(1_048_576, meaning, new KeyedHash(Buffer.from("one seed")));
    for (let now = 1; now < 100; now++) for (let i = 0; i < 100; i++) table.time[table.placeOf(`${now} ${i}`, now)] = now;
    expect(table.capacity).toBe(1024);
  });
});

describe("the keyed hash", () => {
  it("is the same for the same text", () => {
    const hash = new KeyedHash(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
    hash.update("abc");
    const first = [hash.high, hash.low];
    hash.update("abd");
    expect([hash.high, hash.low]).not.toEqual(first);
    hash.update("abc");
    expect([hash.high, hash.low]).toEqual(first);
  });

  it("differs by key, and spreads over both halves", () => {
    const [a, b] = [new KeyedHash(), new KeyedHash()];
    const seen = new Set<string>();
    let same = 0;
    for (let i = 0; i < 20_000; i++) {
      a.update(address(i));
      b.update(address(i));
      if (a.high === b.high) same++;
      seen.add(`${a.high} ${a.low}`);
    }
    expect(seen.size).toBe(20_000);
    expect(same).toBeLessThan(5);
  });
});

describe("networks of IPv6 addresses", () => {
  it("are their first four groups, however they are written", () => {
    const cases: readonly [string, string][] = [
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
      ["2001:db8::1", "2001:db8:0:0"],
      ["2001:db8:1:2::", "2001:db8:1:2"],
      ["::1", "0:0:0:0"],
      ["1::2:3:4:5:6:7", "1:0:2:3"],
      ["64:ff9b::192.0.2.1", "64:ff9b:0:0"],
      ["::", "0:0:0:0"],
    ];
    for (const [text, network] of cases) expect(networkOf(text)).toBe(network);
  });
});
