import type { Clock } from "@proxy/cluster";

/** Remembers what may be used once, in this process, until it would not be taken any more; of too many the oldest are forgotten. */
export class ReplayCache {
  readonly #until = new Map<string, number>();
  readonly #clock: Pick<Clock, "date">;
  readonly #most: number;

  constructor(clock: Pick<Clock, "date">, most = 65_536) {
    this.#clock = clock;
    this.#most = most;
  }

  /** True for the first use of `id` before `until` (milliseconds since 1970). */
  use(id: string, until: number): boolean {
    const now = this.#clock.date();
    const known = this.#until.get(id);
    if (known !== undefined && known > now) return false;
    this.#until.delete(id);
    for (const [oldest, end] of this.#until) {
      if (end > now && this.#until.size < this.#most) break;
      this.#until.delete(oldest);
    }
    this.#until.set(id, until);
    return true;
  }
}
