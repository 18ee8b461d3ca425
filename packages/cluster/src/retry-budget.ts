import { systemClock, type Clock } from "./clock.ts";

export interface RetryBudgetOptions {
  /** Retries in percent of the requests. Default 20. */
  readonly percent?: number | undefined;
  /** Retries per second that are allowed in any case. Default 10. */
  readonly minPerSecond?: number | undefined;
  readonly clock?: Clock | undefined;
}

const slots = 10;
const slotLength = 1000;

/**
 * How many of a cluster's requests may be retries, counted over the last ten seconds: `percent` of the requests, and
 * `minPerSecond` times ten in any case. When most of a cluster fails, retries then add a share to its load, not a multiple.
 */
export class RetryBudget {
  readonly #percent: number;
  readonly #minimum: number;
  readonly #counts: Counts;

  /** `before` is the budget that this one takes the place of: what was counted goes on, as of now with new limits. */
  constructor({ percent = 20, minPerSecond = 10, clock = systemClock }: RetryBudgetOptions = {}, before?: RetryBudget) {
    this.#percent = percent;
    this.#minimum = minPerSecond * slots;
    this.#counts = before === undefined ? new Counts(clock) : before.#counts;
  }

  /** Whether the last retry that was asked for was refused. */
  get isExhausted(): boolean {
    return this.#counts.isExhausted;
  }

  /** A request came that may be retried. */
  request(): void {
    this.#counts.requests[this.#counts.slot()]!++;
  }

  /** Takes one retry out. False: there is none left. */
  take(): boolean {
    const counts = this.#counts;
    const slot = counts.slot();
    const allowed = this.#minimum + Math.floor((sum(counts.requests) * this.#percent) / 100);
    counts.isExhausted = sum(counts.retries) >= allowed;
    if (counts.isExhausted) return false;
    counts.retries[slot]!++;
    return true;
  }
}

/** A ring of seconds. */
class Counts {
  readonly requests = new Uint32Array(slots);
  readonly retries = new Uint32Array(slots);
  isExhausted = false;
  readonly #clock: Clock;
  #current: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#current = Math.floor(clock.now() / slotLength);
  }

  /** That of now; what is older than the ring is forgotten. */
  slot(): number {
    const now = Math.floor(this.#clock.now() / slotLength);
    if (now !== this.#current) {
      for (let second = Math.max(this.#current + 1, now - slots + 1); second <= now; second++) {
        this.requests[second % slots] = 0;
        this.retries[second % slots] = 0;
      }
      this.#current = now;
    }
    return now % slots;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
