import type { CacheEntry } from "./cache-entry.ts";

/**
 * Where answers are kept. In memory here, and behind an interface so that gateways may share one: then everything may give a promise. What fails is
 * treated as if nothing were there.
 */
export interface OutputCacheStore {
  /** The answers for an address, in any order; they differ by partition and by what their Vary names. Not to be changed. */
  get(key: string): readonly CacheEntry[] | undefined | Promise<readonly CacheEntry[] | undefined>;
  /** Keeps `entry` in the place of the one with equal partition and Vary, if there is one. May leave it. */
  put(key: string, entry: CacheEntry): void | Promise<void>;
  /** Forgets all answers for an address. */
  remove(key: string): void | Promise<void>;
  /** Forgets all with that tag, which ignores no case. Gives how many. */
  evictByTag(tag: string): number | Promise<number>;
  /** Forgets everything. */
  clear(): void | Promise<void>;
}

export interface OutputCacheStoreOptions {
  /** Of the policy. */
  readonly name: string;
  /** Bytes of all answers. */
  readonly sizeLimit: number;
  /** Answers for one address. */
  readonly maxVariants: number;
}

/** Makes the store of one policy. */
export type OutputCacheStoreFactory = (options: OutputCacheStoreOptions) => OutputCacheStore;
