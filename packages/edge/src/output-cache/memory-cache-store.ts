/**
 * Answers in memory, by address; those that were not asked for the longest time go first. The answers for one address go together, oldest first where there are
 * too many of them: a flood of variants costs the address, and not its neighbours.
 */
import { LRUCache } from "lru-cache";
import type { CacheEntry } from "./cache-entry.ts";
import type { OutputCacheStore, OutputCacheStoreOptions } from "./output-cache-store.ts";

class Variants {
  readonly key: string;
  entries: readonly CacheEntry[] = [];
  size: number;

  constructor(key: string) {
    this.key = key;
    this.size = sizeOfKey(key);
  }
}

/** The text, its place in the table, the list. */
function sizeOfKey(key: string): number {
  return key.length + 256;
}

/** A store in this process, of `sizeLimit` bytes. */
export function memoryOutputCacheStore({ sizeLimit, maxVariants }: Pick<OutputCacheStoreOptions, "sizeLimit" | "maxVariants">): OutputCacheStore {
  return sizeLimit < 1 ? nothing : new MemoryStore(sizeLimit, maxVariants);
}

class MemoryStore implements OutputCacheStore {
  readonly #variants: LRUCache<string, Variants>;
  readonly #sizeLimit: number;
  readonly #maxVariants: number;

  constructor(sizeLimit: number, maxVariants: number) {
    this.#sizeLimit = sizeLimit;
    this.#maxVariants = maxVariants;
    this.#variants = new LRUCache({ maxSize: sizeLimit, sizeCalculation: ({ size }) => size });
  }

  get(key: string): readonly CacheEntry[] | undefined {
    return this.#variants.get(key)?.entries;
  }

  put(key: string, entry: CacheEntry): void {
    const own = sizeOfKey(key);
    if (own + entry.size > this.#sizeLimit) return;
    const before = this.#variants.peek(key)?.entries ?? [];
    const entries = [entry];
    let size = own + entry.size;
    // The latest first: it is what is asked for, most likely, and the others go before it does.
    for (const other of before) {
      if (isReplacedBy(other, entry)) continue;
      if (entries.length >= this.#maxVariants || size + other.size > this.#sizeLimit) break;
      entries.push(other);
      size += other.size;
    }
    this.#keep(key, entries, size);
  }

  remove(key: string): void {
    this.#variants.delete(key);
  }

  evictByTag(tag: string): number {
    let evicted = 0;
    const tagged = Array.from(this.#variants.values()).filter(({ entries }) => entries.some(({ data }) => data.tags.includes(tag)));
    for (const { key, entries } of tagged) {
      const left = entries.filter(({ data }) => !data.tags.includes(tag));
      evicted += entries.length - left.length;
      if (left.length === 0) this.#variants.delete(key);
      else this.#keep(key, left, left.reduce((sum, { size }) => sum + size, sizeOfKey(key)));
    }
    return evicted;
  }

  clear(): void {
    this.#variants.clear();
  }

  #keep(key: string, entries: readonly CacheEntry[], size: number): void {
    const variants = new Variants(key);
    variants.entries = entries;
    variants.size = size;
    this.#variants.set(key, variants);
  }
}

function isReplacedBy({ data: old }: CacheEntry, { data }: CacheEntry): boolean {
  if (old.partition !== data.partition) return false;
  // What Vary names may change: then both answer the request that brought the new one.
  const fields = new Map(data.vary);
  return old.vary.every(([key, selection]) => !fields.has(key) || fields.get(key) === selection);
}

const nothing: OutputCacheStore = {
  get: () => undefined,
  put: () => {},
  remove: () => {},
  evictByTag: () => 0,
  clear: () => {},
};
