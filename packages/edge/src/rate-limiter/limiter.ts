/** What the limits by time and the one of requests at a time have in common. */

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

/** `closed`: the limit is no more, and nobody serves its queue. */
export type Turn = Admission | "closed";

/** A request that waits. */
export interface Waiting {
  /** Called once, with whether there is a permit now. */
  end(turn: Turn): void;
}

export interface Limiter {
  /** A permit for `key`, a refusal, or a promise of either; undefined: it may wait, with `wait`. */
  take(key: string): Admission | undefined | Promise<Admission | undefined>;
  /** Puts a request into the queue of `key`. Gives how to take it out again. */
  wait(key: string, waiting: Waiting): () => void;
  /** Tells all who wait, and leaves no timer. From now on nobody waits; permits are given and come back as before, for requests that are on their way here. */
  close(): void;
}

/** Requests that wait over all partitions of a limit, whatever each may hold. */
export const mostWaiting = 10_000;
