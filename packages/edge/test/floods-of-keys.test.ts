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

/** Of the reference implementation (vectors.h, `vectors_hsip64`): key 00 01 … 07, input 00 01 …, of 0, 2, 4, … 62 bytes. */
const vectors = [
  "218d1f59b9b83cc8", "064f39ef7c50eb57", "d5e78a175be52ea1", "ce3e91358aa2bc25", "edfee820bce4858c", "95b0469f06a6f2ee", "7bc71f9faef5c799", "3bb1a870eae8e658",
  "7336aad25f7bf3b5", "c9b2db2b9a3e42f9", "1bf52b0a6feea7db", "e20103fa1ba776ef", "70741045ae3fa6f1", "0d899ed8112923f0", "2d925ffb1e0016b5", "291aaf864898179d",
  "28709d46d811626c", "8324e4d7528f9830", "86d67a40ec4276dc", "cbd92ee724d42109", "5b38c81c67c8ae4c", "a91a52c025327024", "1e30f3ad27dcb15a", "495c0f995557dc38",
  "a9eaa8c04ba93e3e", "912d568fd8f65a49", "02445a7998f550e1", "359569e7d289e3bc", "a1a492f942f15f1d", "5d1b5ea1b231d89d", "d6762890bf26e460", "f90b3ab572d46693",
];

describe("the keyed hash", () => {
  it("is that of the reference, for texts of whole units", () => {
    const hash = new KeyedHash(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
    for (const [units, expected] of vectors.entries()) {
      hash.update(Buffer.from(Array.from({ length: units * 2 }, (_, i) => i)).toString("utf16le"));
      const found = Buffer.alloc(8);
      found.writeUInt32LE(hash.high, 0);
      found.writeUInt32LE(hash.low, 4);
      expect([units, found.toString("hex")]).toEqual([units, expected]);
    }
  });

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
      ["2001:0DB8:0001:0002::", "2001:db8:1:2"],
      ["2001:db8:0:0:0:0:0:1", "2001:db8:0:0"],
      ["fe80::1%eth0", "fe80:0:0:0"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1"],
      ["::ffff:c000:201", "192.0.2.1"],
      ["::192.0.2.1", "0:0:0:0"],
    ];
    for (const [text, network] of cases) expect(networkOf(text)).toBe(network);
  });
});
