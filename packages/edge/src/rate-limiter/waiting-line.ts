import type { Turn, Waiting } from "./limiter.ts";

/** The order in which those who wait are served, and who gives way in a full queue: the one who comes, or the one who waits the longest. */
export type QueueOrder = "OldestFirst" | "NewestFirst";

interface Entry extends Waiting {
  /** When its patience ends. */
  readonly until: number;
}

/** The requests of one partition that wait. All have the same patience: it ends in the order in which they came. */
export class WaitingLine {
  readonly #entries: Entry[] = [];
  readonly #order: QueueOrder;

  constructor(order: QueueOrder) {
    this.#order = order;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** When the first patience ends. */
  get until(): number {
    return this.#entries[0]?.until ?? Number.POSITIVE_INFINITY;
  }

  /** Gives how to take it out: whether it was still there. */
  add(waiting: Waiting, until: number): () => boolean {
    const entry: Entry = { end: (turn) => waiting.end(turn), until };
    this.#entries.push(entry);
    return () => {
      const at = this.#entries.indexOf(entry);
      if (at >= 0) this.#entries.splice(at, 1);
      return at >= 0;
    };
  }

  /** Out with the one whose turn it is. */
  next(): Waiting | undefined {
    return this.#order === "NewestFirst" ? this.#entries.pop() : this.#entries.shift();
  }

  /** Out with the one who waits the longest. */
  oldest(): Waiting | undefined {
    return this.#entries.shift();
  }

  /** Out with those whose patience has ended. */
  expired(now: number): readonly Waiting[] {
    let count = 0;
    for (const { until } of this.#entries) {
      if (until > now) break;
      count++;
    }
    return this.#entries.splice(0, count);
  }

  /** Out with all, each told. */
  endAll(turn: Turn): void {
    for (const entry of this.#entries.splice(0)) entry.end(turn);
  }
}
