/**
 * Requests that wait for the answer to another one like them, so that a burst of misses asks the destination once. Those who wait are bounded in number and
 * time, and go on by themselves as soon as it is clear that the answer is not for them: none of them waits for another of those.
 */
import type { Clock } from "@proxy/cluster";
import type { CacheEntry } from "./cache-entry.ts";
import { ownText } from "./own-text.ts";

/** What became of the wait: an answer, which may be for somebody else nevertheless; nothing to wait for; the request itself is over. */
export type Landing = CacheEntry | "alone" | "over";

/** One request on its way to a destination, and those that wait for its answer. */
export class Flight {
  readonly #waiters = new Set<(landing: Landing) => void>();
  readonly #leave: () => void;
  #isOver = false;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** Tells all who wait; once. Requests from now on do not find it. */
  land(landing: CacheEntry | "alone"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    for (const tell of this.#waiters) tell(landing);
  }

  /** Resolves when it lands, after `timeout`, or when the request is over, which `onOver` tells. Never rejects. */
  wait(clock: Clock, timeout: number, onOver: (listener: () => void) => void): Promise<Landing> {
    return new Promise((resolve) => {
      const tell = (landing: Landing): void => {
        if (!this.#waiters.delete(tell)) return;
        callOff();
        resolve(landing);
      };
      this.#waiters.add(tell);
      const callOff = clock.after(timeout, () => tell("alone"));
      onOver(() => tell("over"));
    });
  }
}

/** How long it is remembered that the answers to a request are not kept, in milliseconds. */
const remembered = 10_000;
/** Requests of which that is remembered, and how long their names may be: others wait in vain, which costs nothing but time. */
const mostRemembered = 4000;
const longestRemembered = 1000;

export class Flights {
  readonly #clock: Clock;
  readonly #flights = new Map<string, Flight>();
  /** Until when requests go on by themselves. In the order of their times. */
  readonly #alone = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#flights.size;
  }

  find(key: string): Flight | undefined {
    return this.#flights.get(key);
  }

  begin(key: string): Flight {
    const flight: Flight = new Flight(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Answers to `key` are not kept: nobody is to wait for one for some time. */
  remember(key: string): void {
    if (key.length > longestRemembered) return;
    this.#alone.delete(key);
    this.#alone.set(ownText(key), this.#clock.now() + remembered);
    for (const first of this.#alone.keys()) {
      if (this.#alone.size <= mostRemembered) break;
      this.#alone.delete(first);
    }
  }

  /** They are again. */
  forget(key: string): void {
    this.#alone.delete(key);
  }

  goesAlone(key: string): boolean {
    const until = this.#alone.get(key);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#alone.delete(key);
    return false;
  }

  close(): void {
    for (const flight of this.#flights.values()) flight.land("alone");
  }
}
