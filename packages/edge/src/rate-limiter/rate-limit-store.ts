/** What a store counts by; the same for all keys of a store. */
export interface RateLimit {
  readonly algorithm: "FixedWindow" | "SlidingWindow" | "TokenBucket";
  /** Permits per window; tokens that a bucket holds. */
  readonly permits: number;
  /** Milliseconds: of a window, or for a bucket to fill from empty. */
  readonly window: number;
}

/** What came of asking for a permit. */
export interface RateLimitDecision {
  readonly allowed: boolean;
  /** Permits that are left now. */
  readonly remaining: number;
  /** Milliseconds until all permits are there again. */
  readonly resetAfter: number;
  /** Milliseconds until the next permit; 0 when allowed. */
  readonly retryAfter: number;
}

/**
 * Counts of one limit by key. In memory here; a store that several gateways share gives promises, and decides itself what happens when it cannot
 * be reached: what it rejects with is answered with 500.
 */
export interface RateLimitStore {
  /** Takes a permit of `key` at `now` (milliseconds that only go forward). What a synchronous store gives is valid until the next call. */
  take(key: string, now: number): RateLimitDecision | Promise<RateLimitDecision>;
}

/** Makes the store of a limit. `maxKeys`: how many it counts at a time; `name`: that of the policy. */
export type RateLimitStoreFactory = (limit: RateLimit, options: { readonly maxKeys: number; readonly name: string }) => RateLimitStore;
