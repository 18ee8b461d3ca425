import type { Clock } from "@proxy/cluster";
import type { RateLimiterPolicyConfig } from "@proxy/config";
import { mostWaiting, type Admission, type Limiter, type Waiting } from "./limiter.ts";
import { WaitingLine, type QueueOrder } from "./waiting-line.ts";

interface Partition {
  active: number;
  readonly line: WaitingLine;
  /** For the first whose patience ends. */
  callOff: (() => void) | undefined;
}

/** So many requests at a time. Partitions exist while they have requests: their number is bounded by that of the connections. */
export class ConcurrencyLimiter implements Limiter {
  readonly #permits: number;
  readonly #clock: Clock;
  readonly #queueLimit: number;
  readonly #queueTimeout: number;
  readonly #order: QueueOrder;
  readonly #partitions = new Map<string, Partition>();
  #waiting = 0;
  #isClosed = false;

  constructor({ permitLimit = 1, queueLimit = 0, queueTimeout = 10_000, queueProcessingOrder = "OldestFirst" }: RateLimiterPolicyConfig, clock: Clock) {
    this.#permits = permitLimit;
    this.#clock = clock;
    this.#queueLimit = queueLimit;
    this.#queueTimeout = queueTimeout;
    this.#order = queueProcessingOrder;
  }

  take(key: string): Admission | undefined {
    let partition = this.#partitions.get(key);
    if (partition === undefined) this.#partitions.set(key, (partition = { active: 0, line: new WaitingLine(this.#order), callOff: undefined }));
    if (partition.active < this.#permits) return this.#enter(key, partition);
    if (this.#isClosed || this.#queueLimit === 0) return refused;
    const isFull = partition.line.length >= this.#queueLimit;
    if (isFull && this.#order === "NewestFirst") return undefined;
    return isFull || this.#waiting >= mostWaiting ? refused : undefined;
  }

  wait(key: string, waiting: Waiting): () => void {
    const partition = this.#partitions.get(key);
    if (partition === undefined || this.#isClosed) {
      waiting.end("closed");
      return () => {};
    }
    const { line } = partition;
    if (line.length >= this.#queueLimit) {
      this.#waiting--;
      line.oldest()?.end(refused);
    }
    const takeOut = line.add(waiting, this.#clock.now() + this.#queueTimeout);
    this.#waiting++;
    if (line.length === 1) this.#watch(partition);
    return () => {
      if (!takeOut()) return;
      this.#waiting--;
      this.#watch(partition);
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = 0;
    for (const partition of this.#partitions.values()) {
      partition.callOff?.();
      partition.callOff = undefined;
      partition.line.endAll("closed");
    }
  }

  /** Comes back when the next patience ends, if anybody waits. */
  #watch(partition: Partition): void {
    partition.callOff?.();
    partition.callOff = undefined;
    if (partition.line.length === 0 || this.#isClosed) return;
    partition.callOff = this.#clock.after(Math.max(Math.ceil(partition.line.until - this.#clock.now()), 0), () => {
      const given = partition.line.expired(this.#clock.now());
      this.#waiting -= given.length;
      for (const waiting of given) waiting.end(refused);
      this.#watch(partition);
    });
  }

  #enter(key: string, partition: Partition): Admission {
    partition.active++;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#leave(key, partition);
    };
    return { allowed: true, remaining: this.#permits - partition.active, resetAfter: undefined, retryAfter: 0, release };
  }

  #leave(key: string, partition: Partition): void {
    partition.active--;
    const next = partition.line.next();
    if (next !== undefined) {
      this.#waiting--;
      this.#watch(partition);
      next.end(this.#enter(key, partition));
    } else if (partition.active === 0) this.#partitions.delete(key);
  }
}

/** Nobody knows when a request will be over: a second is a guess. */
const refused: Admission = { allowed: false, remaining: 0, resetAfter: undefined, retryAfter: 1000, release: undefined };
