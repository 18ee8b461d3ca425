import { systemClock, type Clock } from "@proxy/cluster";
import type { SignInStore } from "./sign-in-store.ts";

export interface MemorySignInStoreOptions {
  /** Default: the system's. */
  readonly clock?: Pick<Clock, "date"> | undefined;
  /** How many it remembers for each use, some 170 bytes each. Default 131 072. */
  readonly maxEntries?: number | undefined;
}

/**
 * A store of this process. When it is full it forgets the oldest, on the safe side: sign-ins that were begun before the forgotten one was over, and sessions that began before the
 * forgotten one did, are refused from then on. People sign in anew; nothing comes alive again.
 */
export function memorySignInStore({ clock = systemClock, maxEntries = 131_072 }: MemorySignInStoreOptions = {}): SignInStore {
  const memories = new Map<string, Memory>();
  const memoryOf = (use: string): Memory => {
    const known = memories.get(use) ?? new Memory(maxEntries);
    memories.set(use, known);
    return known;
  };
  return {
    take(use, key, until) {
      const memory = memoryOf(use);
      if (until <= memory.forgotten || (memory.get(key)?.until ?? 0) > clock.date()) return false;
      memory.set(key, { value: until, until }, clock.date());
      return true;
    },
    end(use, key, begunUntil, until) {
      const memory = memoryOf(use);
      const before = memory.get(key);
      memory.set(key, { value: Math.max(begunUntil, before?.value ?? begunUntil), until: Math.max(until, before?.until ?? until) }, clock.date());
    },
    endedUntil(use, keys) {
      const memory = memories.get(use);
      if (memory === undefined) return undefined;
      let latest = memory.forgotten;
      for (const key of keys) latest = Math.max(latest, memory.get(key)?.value ?? latest);
      return latest === Number.NEGATIVE_INFINITY ? undefined : latest;
    },
  };
}

interface Entry {
  readonly value: number;
  readonly until: number;
}

/** The newest at the end. */
class Memory {
  /** The greatest value of all that was forgotten. */
  forgotten = Number.NEGATIVE_INFINITY;
  readonly #entries = new Map<string, Entry>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  set(key: string, entry: Entry, now: number): void {
    this.#entries.delete(key);
    for (const [oldest, { value, until }] of this.#entries) {
      if (until > now && this.#entries.size < this.#most) break;
      this.#entries.delete(oldest);
      this.forgotten = Math.max(this.forgotten, value);
    }
    this.#entries.set(key, entry);
  }
}
