import { HeaderList } from "@proxy/http";
import { describe, expect, it } from "vitest";
import { CacheEntry, memoryOutputCacheStore, type CacheEntryData, type OutputCacheStore } from "../../src/index.ts";
import { cachedProxy, counting } from "./cached-proxy.ts";
import { describeStore, entryOf } from "./store-contract.ts";

/** A store in another process: answers later, and carries nothing but data. */
function remoteStore(options: Parameters<typeof memoryOutputCacheStore>[0]): OutputCacheStore {
  const inner = memoryOutputCacheStore(options);
  const carried = ({ data }: CacheEntry): CacheEntry => {
    const text = JSON.stringify({ ...data, headers: [...data.headers], body: data.body.toString("base64") });
    const { headers, body, ...rest } = JSON.parse(text) as Omit<CacheEntryData, "headers" | "body"> & { headers: [string, string][]; body: string };
    return new CacheEntry({ ...rest, headers: HeaderList.from(headers).packed(), body: Buffer.from(body, "base64") });
  };
  const later = async <T>(run: () => T): Promise<T> => {
    await Promise.resolve();
    return run();
  };
  return {
    get: (key) => later(() => (inner.get(key) as readonly CacheEntry[] | undefined)?.map(carried)),
    put: (key, entry) => later(() => void inner.put(key, carried(entry))),
    remove: (key) => later(() => void inner.remove(key)),
    evictByTag: (tag) => later(() => inner.evictByTag(tag) as number),
    clear: () => later(() => void inner.clear()),
  };
}

describeStore("the store in memory", memoryOutputCacheStore);
describeStore("a store that answers later", remoteStore);

describe("a store of one's own", () => {
  it("serves a proxy, one for each policy", async () => {
    const made: unknown[] = [];
    const { get, calls, edge, outcomes } = await cachedProxy({ tags: ["t"], sizeLimit: 5000, maxVariants: 3 }, counting(), {
      edge: {
        outputCacheStore(options) {
          made.push(options);
          return remoteStore(options);
        },
      },
    });
    await get();
    expect((await get()).response.text).toBe("answer 1");
    expect(await edge.outputCache.evictByTag("t")).toBe(1);
    expect((await get()).response.text).toBe("answer 2");
    expect([made, calls.length, outcomes]).toEqual([[{ name: "p", sizeLimit: 5000, maxVariants: 3 }], 2, ["miss", "hit", "miss"]]);
  });
});

describe("a store without room", () => {
  it("keeps nothing", async () => {
    const kept = memoryOutputCacheStore({ sizeLimit: 0, maxVariants: 8 });
    await kept.put("k", entryOf(""));
    expect(await kept.get("k")).toBeUndefined();
  });
});

describe("what an entry counts", () => {
  it("is about what it takes: names, values and the body", () => {
    const large = entryOf("x".repeat(100_000));
    expect(large.size).toBeGreaterThan(100_000);
    expect(large.size).toBeLessThan(110_000);
    expect(entryOf("x".repeat(5000)).size).toBeGreaterThan(10_000);
  });
});
