/** One limit with its counts and the requests that wait for it. */
import type { Clock } from "@proxy/cluster";
import type { RateLimiterPolicyConfig } from "@proxy/config";
import type { RateLimitDecision, RateLimitStore, RateLimitStoreFactory } from "./rate-limit-store.ts";

/** A request that waits. */
export interface Waiting {
  /** Called once, with whether there is a permit now. */
  end(decision: Admission): void;
}

/** What is known of a request that was let in or refused. */
export interface Admission {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds; undefined where nothing comes back by time. */
  readonly resetAfter: number | undefined;
  readonly retryAfter: number;
  /** Gives the permit back; undefined where time does. */
  readonly release: (() => void) | undefined;
}

export interface Limiter {
  /** A permit for `key`, a refusal, or a promise of either; undefined: it may wait, with `wait`. */
  take(key: string): Admission | undefined | Promise<Admission | undefined>;
  /** Puts a request into the queue of `key`. Gives how to take it out again. */
  wait(key: string, waiting: Waiting): () => void;
  close(): void;
}

/** Requests that wait over all partitions of a limit, whatever each may hold. */
const mostWaiting = 10_000;

interface Entry extends Waiting {
  readonly until: number;
}

interface Queue {
  readonly entries: Entry[];
  callOff: (() => void) | undefined;
}

/** Limits whose permits come back by time. */
export class WindowLimiter implements Limiter {
  readonly #store: RateLimitStore;
  readonly #clock: Clock;
  readonly #queueLimit: number;
  readonly #queueTimeout: number;
  readonly #queues = new Map<string, Queue>();
  #waiting = 0;

  constructor(policy: RateLimiterPolicyConfig, clock: Clock, factory: RateLimitStoreFactory) {
    const { algorithm = "FixedWindow", permitLimit = 1, window = 60_000, maxPartitions = 1_048_576, queueLimit = 0, queueTimeout = 10_000, name } = policy;
    if (algorithm === "Concurrency") throw new TypeError("concurrency is no limit by time");
    this.#store = factory({ algorithm, permits: permitLimit, window }, { maxKeys: maxPartitions, name });
    this.#clock = clock;
    this.#queueLimit = queueLimit;
    this.#queueTimeout = queueTimeout;
  }

  take(key: string): Admission | undefined | Promise<Admission | undefined> {
    // Those who wait come first.
    if (this.#queues.size > 0 && this.#queues.has(key)) {
      return this.#mayWait(key) ? undefined : { allowed: false, remaining: 0, resetAfter: undefined, retryAfter: this.#queueTimeout, release: undefined };
    }
    const decision = this.#store.take(key, this.#clock.now());
    return decision instanceof Promise ? decision.then((later) => this.#judge(key, later)) : this.#judge(key, decision);
  }

  wait(key: string, waiting: Waiting): () => void {
    const entry: Entry = { end: (decision) => waiting.end(decision), until: this.#clock.now() + this.#queueTimeout };
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = { entries: [], callOff: undefined }));
    queue.entries.push(entry);
    this.#waiting++;
    if (queue.entries.length === 1) this.#serve(key, queue);
    return () => {
      const at = queue.entries.indexOf(entry);
      if (at < 0) return;
      queue.entries.splice(at, 1);
      this.#waiting--;
      this.#dropEmpty(key, queue);
    };
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.callOff?.();
    this.#queues.clear();
  }

  #mayWait(key: string): boolean {
    return this.#waiting < mostWaiting && (this.#queues.get(key)?.entries.length ?? 0) < this.#queueLimit;
  }

  #judge(key: string, { allowed, remaining, resetAfter, retryAfter }: RateLimitDecision): Admission | undefined {
    if (!allowed && retryAfter <= this.#queueTimeout && this.#mayWait(key)) return undefined;
    return { allowed, remaining, resetAfter, retryAfter, release: undefined };
  }

  /** Lets in whom it can, and comes back when the next permit is due. */
  #serve(key: string, queue: Queue): void {
    queue.callOff = undefined;
    const decision = this.#store.take(key, this.#clock.now());
    if (decision instanceof Promise) {
      decision.then(
        (later) => this.#serveFirst(key, queue, later),
        () => this.#serveFirst(key, queue, { allowed: false, remaining: 0, resetAfter: 1000, retryAfter: 1000 }),
      );
    } else this.#serveFirst(key, queue, decision);
  }

  #serveFirst(key: string, queue: Queue, decision: RateLimitDecision): void {
    const now = this.#clock.now();
    const { allowed, remaining, resetAfter, retryAfter } = decision;
    const admission: Admission = { allowed, remaining, resetAfter, retryAfter, release: undefined };
    const first = queue.entries[0];
    if (first !== undefined && allowed) this.#end(queue, first, admission);
    else for (const entry of queue.entries.filter(({ until }) => until <= now)) this.#end(queue, entry, admission);
    if (queue.entries.length === 0) {
      this.#dropEmpty(key, queue);
      return;
    }
    const patience = Math.min(...queue.entries.map(({ until }) => until)) - now;
    queue.callOff = this.#clock.after(Math.max(allowed ? 0 : Math.min(Math.ceil(retryAfter), patience), 0), () => this.#serve(key, queue));
  }

  #end(queue: Queue, entry: Entry, admission: Admission): void {
    queue.entries.splice(queue.entries.indexOf(entry), 1);
    this.#waiting--;
    entry.end(admission);
  }

  #dropEmpty(key: string, queue: Queue): void {
    if (queue.entries.length > 0 || this.#queues.get(key) !== queue) return;
    queue.callOff?.();
    this.#queues.delete(key);
  }
}

interface Partition {
  active: number;
  readonly entries: { readonly waiting: Waiting; readonly callOff: () => void }[];
}

/** So many requests at a time. Partitions exist while they have requests: their number is bounded by that of the connections. */
export class ConcurrencyLimiter implements Limiter {
  readonly #permits: number;
  readonly #clock: Clock;
  readonly #queueLimit: number;
  readonly #queueTimeout: number;
  readonly #partitions = new Map<string, Partition>();
  #waiting = 0;

  constructor({ permitLimit = 1, queueLimit = 0, queueTimeout = 10_000 }: RateLimiterPolicyConfig, clock: Clock) {
    this.#permits = permitLimit;
    this.#clock = clock;
    this.#queueLimit = queueLimit;
    this.#queueTimeout = queueTimeout;
  }

  take(key: string): Admission | undefined {
    let partition = this.#partitions.get(key);
    if (partition === undefined) this.#partitions.set(key, (partition = { active: 0, entries: [] }));
    if (partition.active < this.#permits) return this.#enter(key, partition);
    if (this.#waiting < mostWaiting && partition.entries.length < this.#queueLimit) return undefined;
    return refused;
  }

  wait(key: string, waiting: Waiting): () => void {
    const partition = this.#partitions.get(key);
    if (partition === undefined) throw new Error("a request waits for nothing");
    const takeOut = (): boolean => {
      const at = partition.entries.indexOf(entry);
      if (at < 0) return false;
      partition.entries.splice(at, 1);
      this.#waiting--;
      entry.callOff();
      return true;
    };
    const callOff = this.#clock.after(this.#queueTimeout, () => {
      if (takeOut()) waiting.end(refused);
    });
    const entry = { waiting, callOff };
    partition.entries.push(entry);
    this.#waiting++;
    return takeOut;
  }

  close(): void {
    for (const { entries } of this.#partitions.values()) for (const { callOff } of entries) callOff();
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
    const next = partition.entries.shift();
    if (next !== undefined) {
      this.#waiting--;
      next.callOff();
      next.waiting.end(this.#enter(key, partition));
    } else if (partition.active === 0) this.#partitions.delete(key);
  }
}

/** Nobody knows when a request will be over: a second is a guess. */
const refused: Admission = { allowed: false, remaining: 0, resetAfter: undefined, retryAfter: 1000, release: undefined };
