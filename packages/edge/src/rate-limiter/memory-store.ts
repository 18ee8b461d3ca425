/**
 * The algorithms over a table in memory. Each key has a clock of its own, so that not all of them start over at one moment.
 *
 * - fixed window: begins with the first request of a key, and counts until it ends
 * - sliding window: what the window before counted fades out as this one goes on; never more than the limit in any window, if requests came evenly
 * - token bucket: the moment at which the bucket will be full again says how many tokens are there (the generic cell rate algorithm of ATM)
 */
import { CountTable, type PlaceMeaning } from "./count-table.ts";
import type { RateLimit, RateLimitDecision, RateLimitStore, RateLimitStoreFactory } from "./rate-limit-store.ts";

/** Made anew by nobody: filled in by each call. */
class Decision implements RateLimitDecision {
  allowed = false;
  remaining = 0;
  resetAfter = 0;
  retryAfter = 0;

  set(allowed: boolean, remaining: number, resetAfter: number, retryAfter: number): this {
    this.allowed = allowed;
    this.remaining = remaining;
    this.resetAfter = resetAfter;
    this.retryAfter = retryAfter;
    return this;
  }
}

/** The store of this process. `maxKeys` bounds its memory: 24 bytes for each. */
export const memoryRateLimitStore: RateLimitStoreFactory = (limit, { maxKeys }) => {
  switch (limit.algorithm) {
    case "FixedWindow":
      return new FixedWindowStore(limit, maxKeys);
    case "SlidingWindow":
      return new SlidingWindowStore(limit, maxKeys);
    case "TokenBucket":
      return new TokenBucketStore(limit, maxKeys);
  }
};

/** Floating point: a permit must not be lost to the last bit. */
const epsilon = 1e-6;

class FixedWindowStore implements RateLimitStore, PlaceMeaning {
  readonly #permits: number;
  readonly #window: number;
  readonly #table: CountTable;
  readonly #decision = new Decision();

  constructor({ permits, window }: RateLimit, maxKeys: number) {
    this.#permits = permits;
    this.#window = window;
    this.#table = new CountTable(maxKeys, this);
  }

  isExpired(table: CountTable, place: number, now: number): boolean {
    return now >= (table.time[place] as number) + this.#window;
  }

  weight(table: CountTable, place: number): number {
    return table.count[place] as number;
  }

  take(key: string, now: number): RateLimitDecision {
    const table = this.#table;
    const place = table.placeOf(key, now);
    let count = table.count[place] as number;
    if (count === 0 || this.isExpired(table, place, now)) {
      table.time[place] = now;
      count = 0;
    }
    const resetAfter = (table.time[place] as number) + this.#window - now;
    if (count >= this.#permits) return this.#decision.set(false, 0, resetAfter, resetAfter);
    table.count[place] = ++count;
    return this.#decision.set(true, this.#permits - count, resetAfter, 0);
  }
}

class SlidingWindowStore implements RateLimitStore, PlaceMeaning {
  readonly #permits: number;
  readonly #window: number;
  readonly #table: CountTable;
  readonly #decision = new Decision();

  constructor({ permits, window }: RateLimit, maxKeys: number) {
    this.#permits = permits;
    this.#window = window;
    this.#table = new CountTable(maxKeys, this);
  }

  isExpired(table: CountTable, place: number, now: number): boolean {
    return now >= (table.time[place] as number) + 2 * this.#window;
  }

  weight(table: CountTable, place: number): number {
    return (table.count[place] as number) + (table.previous[place] as number);
  }

  take(key: string, now: number): RateLimitDecision {
    const table = this.#table;
    const window = this.#window;
    const place = table.placeOf(key, now);
    let count = table.count[place] as number;
    let previous = table.previous[place] as number;
    let start = table.time[place] as number;
    if ((count === 0 && previous === 0) || now >= start + 2 * window) {
      start = now;
      count = 0;
      previous = 0;
    } else if (now >= start + window) {
      start += window;
      previous = count;
      count = 0;
    }
    const passed = (now - start) / window;
    const allowed = previous * (1 - passed) + count + 1 <= this.#permits + epsilon;
    if (allowed) count++;
    table.time[place] = start;
    table.count[place] = count;
    table.previous[place] = previous;
    const left = this.#permits - previous * (1 - passed) - count;
    const resetAfter = start + 2 * window - now;
    return this.#decision.set(allowed, Math.max(Math.floor(left + epsilon), 0), resetAfter, allowed ? 0 : this.#wait(previous, count, start, now));
  }

  /** Until what has faded leaves room for one. */
  #wait(previous: number, count: number, start: number, now: number): number {
    const room = this.#permits - 1;
    const window = this.#window;
    if (count <= room) return Math.max(start + window * (1 - (room - count) / previous) - now, 1);
    return Math.max(start + window + window * (1 - room / count) - now, 1);
  }
}

class TokenBucketStore implements RateLimitStore, PlaceMeaning {
  readonly #window: number;
  readonly #perToken: number;
  readonly #table: CountTable;
  readonly #decision = new Decision();

  constructor({ permits, window }: RateLimit, maxKeys: number) {
    this.#window = window;
    this.#perToken = window / permits;
    this.#table = new CountTable(maxKeys, this);
  }

  isExpired(table: CountTable, place: number, now: number): boolean {
    return (table.time[place] as number) <= now;
  }

  weight(table: CountTable, place: number): number {
    return table.time[place] as number;
  }

  take(key: string, now: number): RateLimitDecision {
    const table = this.#table;
    const place = table.placeOf(key, now);
    const fullAt = Math.max(table.time[place] as number, now);
    const next = fullAt + this.#perToken;
    const wait = next - this.#window - now;
    if (wait > epsilon) return this.#decision.set(false, 0, fullAt - now, wait);
    table.time[place] = next;
    return this.#decision.set(true, Math.floor((this.#window - (next - now)) / this.#perToken + epsilon), next - now, 0);
  }
}
