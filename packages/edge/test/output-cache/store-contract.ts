/** What every store of answers keeps to. */
import { HeaderList } from "@proxy/http";
import { describe, expect, it } from "vitest";
import { CacheEntry, type CacheEntryData, type OutputCacheStore, type OutputCacheStoreOptions } from "../../src/index.ts";

export function entryOf(text: string, more: Partial<CacheEntryData> = {}): CacheEntry {
  return new CacheEntry({
    status: 200,
    reason: undefined,
    headers: HeaderList.from([["Content-Type", "text/plain"], ["Content-Length", String(text.length)]]).packed(),
    body: Buffer.from(text),
    storedAt: 1000,
    initialAge: 0,
    freshUntil: 2000,
    staleWhileRevalidateUntil: 2000,
    staleIfErrorUntil: 2000,
    mustRevalidate: false,
    partition: "r",
    vary: [],
    tags: [],
    ...more,
  });
}

export function describeStore(title: string, create: (options: Omit<OutputCacheStoreOptions, "name">) => OutputCacheStore): void {
  const store = (options: Partial<OutputCacheStoreOptions> = {}): OutputCacheStore => create({ sizeLimit: 1_000_000, maxVariants: 8, ...options });
  const texts = async (kept: OutputCacheStore, key: string): Promise<string[]> => ((await kept.get(key)) ?? []).map(({ data }) => data.body.toString());

  describe(title, () => {
    it("gives what was put, whole", async () => {
      const kept = store();
      expect(await kept.get("k")).toBeUndefined();
      const entry = entryOf("text", { vary: [["accept", "=a"]], tags: ["t"], initialAge: 7, mustRevalidate: true });
      await kept.put("k", entry);
      const [found] = (await kept.get("k")) ?? [];
      expect({ ...found?.data, headers: [...(found?.data.headers ?? [])] }).toEqual({ ...entry.data, headers: [...entry.data.headers] });
      expect(found?.headAt(4000).headers.get("age")).toBe("3");
    });

    it("keeps answers of one address apart by partition and by what they vary by", async () => {
      const kept = store();
      for (const [text, more] of [
        ["a", { vary: [["accept", "=a"]] }],
        ["b", { vary: [["accept", "=b"]] }],
        ["other", { partition: "s", vary: [["accept", "=a"]] }],
      ] as const) await kept.put("k", entryOf(text, more));
      expect((await texts(kept, "k")).toSorted()).toEqual(["a", "b", "other"]);
      await kept.put("k", entryOf("a2", { vary: [["accept", "=a"]] }));
      expect((await texts(kept, "k")).toSorted()).toEqual(["a2", "b", "other"]);
      await kept.put("k", entryOf("all"));
      expect((await texts(kept, "k")).toSorted()).toEqual(["all", "other"]);
    });

    it("keeps no more for one address than it may, the latest", async () => {
      const kept = store({ maxVariants: 2 });
      for (const value of ["1", "2", "3"]) await kept.put("k", entryOf(value, { vary: [["x", `=${value}`]] }));
      expect((await texts(kept, "k")).toSorted()).toEqual(["2", "3"]);
    });

    it("keeps no more bytes than it may, what was asked for last", async () => {
      const kept = store({ sizeLimit: 100_000 });
      for (let i = 0; i < 8; i++) await kept.put(`k${i}`, entryOf("x".repeat(10_000)));
      await kept.get("k0");
      for (let i = 8; i < 12; i++) await kept.put(`k${i}`, entryOf("x".repeat(10_000)));
      expect((await texts(kept, "k0")).length).toBe(1);
      expect((await texts(kept, "k1")).length).toBe(0);
      expect((await texts(kept, "k11")).length).toBe(1);
      await kept.put("large", entryOf("x".repeat(100_000)));
      expect((await texts(kept, "large")).length).toBe(0);
      expect((await texts(kept, "k11")).length).toBe(1);
    });

    it("keeps variants within its bytes, the latest", async () => {
      const kept = store({ sizeLimit: 50_000, maxVariants: 100 });
      for (let i = 0; i < 20; i++) await kept.put("k", entryOf(`${i}`.padEnd(10_000), { vary: [["x", `=${i}`]] }));
      const left = (await texts(kept, "k")).map((text) => text.trim());
      expect(left).toContain("19");
      expect(left.length).toBeLessThan(5);
    });

    it("forgets an address, a tag, everything", async () => {
      const kept = store();
      const put = async (key: string, tags: readonly string[], variant = ""): Promise<void> => kept.put(key, entryOf(key, { tags, vary: [["x", variant]] }));
      await put("a", ["one"]);
      await put("b", ["one", "two"]);
      await put("b", ["two"], "2");
      await put("c", []);
      await kept.remove("a");
      await kept.remove("nothing");
      expect(await kept.evictByTag("one")).toBe(1);
      expect(await kept.evictByTag("ONE")).toBe(0);
      expect([await texts(kept, "a"), await texts(kept, "b"), await texts(kept, "c")]).toEqual([[], ["b"], ["c"]]);
      await kept.clear();
      expect([await texts(kept, "b"), await texts(kept, "c")]).toEqual([[], []]);
    });

    it("takes any text as a key", async () => {
      const kept = store();
      for (const key of ["", "__proto__", "constructor", "a\n", "a\u0000b"]) await kept.put(key, entryOf(key));
      for (const key of ["", "__proto__", "constructor", "a\n", "a\u0000b"]) expect(await texts(kept, key)).toEqual([key]);
    });
  });
}
