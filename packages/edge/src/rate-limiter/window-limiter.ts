import type { Clock } from "@proxy/cluster";
import type { RateLimiterPolicyConfig } from "@proxy/config";
import { mostWaiting, type Admission, type Limiter, type Waiting } from "./limiter.ts";
import type { RateLimit, RateLimitDecision, RateLimitStore, RateLimitStoreFactory } from "./rate-limit-store.ts";
import { WaitingLine, type QueueOrder } from "./waiting-line.ts";

/** Somebody waits in it, and a timer or a question to the store is under way. */
interface Queue {
  readonly line: WaitingLine;
  /** When a permit may be there, as far as it is known. */
  due: number;
  callOff: (() => void) | undefined;
}

/** Limits whose permits come back by time. */
export class WindowLimiter implements Limiter {
  readonly #limit: RateLimit;
  readonly #store: RateLimitStore;
  readonly #clock: Clock;
  readonly #queueLimit: number;
  readonly #queueTimeout: number;
  readonly #order: QueueOrder;
  readonly #queues = new Map<string, Queue>();
  #waiting = 0;
  #isClosed = false;

  constructor(policy: RateLimiterPolicyConfig, clock: Clock, factory: RateLimitStoreFactory) {
    const { algorithm = "FixedWindow", permitLimit = 1, window = 60_000, maxPartitions = 1_048_576, queueLimit = 0, queueTimeout = 10_000, queueProcessingOrder = "OldestFirst", name } = policy;
    if (algorithm === "Concurrency") throw new TypeError("concurrency is no limit by time");
    this.#limit = { algorithm, permits: permitLimit, window };
    this.#store = factory(this.#limit, { maxKeys: maxPartitions, name });
    this.#clock = clock;
    this.#queueLimit = queueLimit;
    this.#queueTimeout = queueTimeout;
    this.#order = queueProcessingOrder;
  }

  take(key: string): Admission | undefined | Promise<Admission | undefined> {
    // Those who wait come first.
    const queue = this.#queues.size > 0 ? this.#queues.get(key) : undefined;
    if (queue !== undefined) {
      if (this.#mayWait(queue)) return undefined;
      return { allowed: false, remaining: 0, resetAfter: undefined, retryAfter: this.#behind(queue), release: undefined };
    }
    const decision = this.#store.take(key, this.#clock.now());
    return decision instanceof Promise ? decision.then((later) => this.#judge(key, later)) : this.#judge(key, decision);
  }

  wait(key: string, waiting: Waiting): () => void {
    if (this.#isClosed) {
      waiting.end("closed");
      return () => {};
    }
    const now = this.#clock.now();
    const there = this.#queues.get(key);
    const queue = there ?? { line: new WaitingLine(this.#order), due: now, callOff: undefined };
    const { line } = queue;
    if (line.length >= this.#queueLimit) {
      this.#waiting--;
      line.oldest()?.end({ allowed: false, remaining: 0, resetAfter: undefined, retryAfter: this.#behind(queue), release: undefined });
    }
    const takeOut = line.add(waiting, now + this.#queueTimeout);
    this.#waiting++;
    if (there === undefined) {
      this.#queues.set(key, queue);
      this.#serve(key, queue);
    }
    return () => {
      if (!takeOut()) return;
      this.#waiting--;
      this.#dropEmpty(key, queue);
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = 0;
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    for (const { callOff, line } of queues) {
      callOff?.();
      line.endAll("closed");
    }
  }

  #mayWait(queue: Queue | undefined): boolean {
    const length = queue?.line.length ?? 0;
    if (this.#isClosed || this.#queueLimit === 0) return false;
    return length >= this.#queueLimit ? this.#order === "NewestFirst" : this.#waiting < mostWaiting;
  }

  /** Until a permit is there for one who comes behind those who wait: each of them has one first. */
  #behind({ line, due }: Queue): number {
    const { algorithm, permits, window } = this.#limit;
    const more = algorithm === "FixedWindow" ? Math.floor(line.length / permits) * window : (line.length * window) / permits;
    return Math.max(due - this.#clock.now(), 0) + more;
  }

  #judge(key: string, { allowed, remaining, resetAfter, retryAfter }: RateLimitDecision): Admission | undefined {
    if (!allowed && retryAfter <= this.#queueTimeout && this.#mayWait(this.#queues.get(key))) return undefined;
    return { allowed, remaining, resetAfter, retryAfter, release: undefined };
  }

  /** Lets in whom it can, and comes back when the next permit is due. */
  #serve(key: string, queue: Queue): void {
    queue.callOff = undefined;
    const decision = this.#store.take(key, this.#clock.now());
    if (decision instanceof Promise) {
      decision.then(
        (later) => this.#serveNext(key, queue, later),
        () => this.#serveNext(key, queue, { allowed: false, remaining: 0, resetAfter: 1000, retryAfter: 1000 }),
      );
    } else this.#serveNext(key, queue, decision);
  }

  #serveNext(key: string, queue: Queue, decision: RateLimitDecision): void {
    const { line } = queue;
    const now = this.#clock.now();
    const { allowed, remaining, resetAfter, retryAfter } = decision;
    const admission: Admission = { allowed, remaining, resetAfter, retryAfter, release: undefined };
    queue.due = now + retryAfter;
    const served = allowed ? [line.next()] : line.expired(now);
    for (const waiting of served) {
      if (waiting === undefined) continue;
      this.#waiting--;
      waiting.end(admission);
    }
    if (line.length === 0) {
      this.#dropEmpty(key, queue);
      return;
    }
    const patience = line.until - now;
    queue.callOff = this.#clock.after(Math.max(allowed ? 0 : Math.min(Math.ceil(retryAfter), patience), 0), () => this.#serve(key, queue));
  }

  #dropEmpty(key: string, queue: Queue): void {
    if (queue.line.length > 0 || this.#queues.get(key) !== queue) return;
    queue.callOff?.();
    this.#queues.delete(key);
  }
}
