/**
 * 1. A permit of each limit in turn. What is refused ends here: 429, or the policy's status, with Retry-After.
 * 2. Where there is none now and the queue has room, the request waits. When it ends in between (its client leaves, the route's `Timeout` runs out) it
 *    leaves the queue and goes no further. Where the limit itself ends (a reload, the proxy closes) it is answered with 503.
 * 3. Permits of `Concurrency` are given back when the exchange is over in whatever way: answered, cut, tunnel closed.
 */
import { systemClock, type Clock } from "@proxy/cluster";
import type { RateLimiterPolicyConfig } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import type { Step } from "@proxy/pipeline";
import { AnsweredExchange } from "../exchange/answered-exchange.ts";
import { ConcurrencyLimiter } from "./concurrency-limiter.ts";
import type { Admission, Limiter, Turn } from "./limiter.ts";
import { memoryRateLimitStore } from "./memory-store.ts";
import { partitionOf, type LimitedRequest, type Partition } from "./partition.ts";
import { rateLimitFields, type RateLimitFields } from "./rate-limit-fields.ts";
import type { RateLimitStoreFactory } from "./rate-limit-store.ts";
import { WindowLimiter } from "./window-limiter.ts";

/** A policy with its counts. */
export interface RateLimiter {
  readonly limiter: Limiter;
  readonly partition: Partition;
  /** Undefined: answers say nothing of the limit. */
  readonly fields: RateLimitFields | undefined;
  readonly status: number;
}

export interface RateLimiterOptions {
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Where limits by time are counted. Default: in memory. */
  readonly store?: RateLimitStoreFactory | undefined;
}

export function createRateLimiter(policy: RateLimiterPolicyConfig, { clock = systemClock, store = memoryRateLimitStore }: RateLimiterOptions = {}): RateLimiter {
  return {
    limiter: policy.algorithm === "Concurrency" ? new ConcurrencyLimiter(policy, clock) : new WindowLimiter(policy, clock, store),
    partition: partitionOf(policy),
    fields: policy.sendHeaders === false ? undefined : rateLimitFields(policy),
    status: policy.statusCode ?? 429,
  };
}

/** The step `rate-limiter` with one policy for all routes. `close` ends its queue: those who wait are answered with 503. */
export function rateLimiterStep(policy: Omit<RateLimiterPolicyConfig, "name">, options?: RateLimiterOptions): Step & { close(): void } {
  const limiter = createRateLimiter({ name: "default", ...policy }, options);
  return { name: "rate-limiter", run: rateLimiterRun([limiter]), close: () => limiter.limiter.close() };
}

/** What asks `limiters`, in order. */
export function rateLimiterRun(limiters: readonly RateLimiter[]): Step["run"] {
  return (ctx, next) => askLimiters(limiters, ctx, next);
}

type Next<R> = (request: R) => void | Promise<void>;

/** The same for whatever is limited. */
export function askLimiters<R extends LimitedRequest>(limiters: readonly RateLimiter[], request: R, next: Next<R>): void | Promise<void> {
  return ask(limiters, 0, request, next);
}

function ask<R extends LimitedRequest>(limiters: readonly RateLimiter[], index: number, ctx: R, next: Next<R>): void | Promise<void> {
  const one = limiters[index];
  if (one === undefined) return next(ctx);
  const key = one.partition(ctx);
  const taken = one.limiter.take(key);
  if (taken instanceof Promise) {
    return taken.then((admission) => (isOver(ctx) ? admission?.release?.() : judge(limiters, index, ctx, next, key, admission)));
  }
  return judge(limiters, index, ctx, next, key, taken);
}

function judge<R extends LimitedRequest>(limiters: readonly RateLimiter[], index: number, ctx: R, next: Next<R>, key: string, admission: Admission | undefined): void | Promise<void> {
  const one = limiters[index] as RateLimiter;
  if (admission === undefined) {
    return waitForTurn(one, ctx, key).then((turn) => {
      if (turn === "closed") giveUp(ctx);
      else if (turn !== undefined) return judge(limiters, index, ctx, next, key, turn);
    });
  }
  if (!admission.allowed) {
    refuse(one, ctx, admission);
    return;
  }
  if (admission.release !== undefined) ctx.exchange.onComplete(admission.release);
  if (one.fields !== undefined) announce(one.fields, ctx, admission);
  return ask(limiters, index + 1, ctx, next);
}

function isOver({ exchange }: LimitedRequest): boolean {
  return exchange.response.started || exchange.response.ended;
}

/** Undefined: the request is over meanwhile. */
function waitForTurn(one: RateLimiter, ctx: LimitedRequest, key: string): Promise<Turn | undefined> {
  const { promise, resolve } = Promise.withResolvers<Turn | undefined>();
  const takeOut = one.limiter.wait(key, { end: resolve });
  ctx.exchange.onComplete(() => {
    takeOut();
    // Nothing when its turn has come already: then it is over below.
    resolve(undefined);
  });
  return promise.then((turn) => {
    if (turn === undefined || !isOver(ctx)) return turn;
    if (turn !== "closed") turn.release?.();
    return undefined;
  });
}

/** The limit is gone, and with it whoever would have said when: the client may ask again, under what holds then. */
function giveUp({ exchange }: LimitedRequest): void {
  exchange.response.send({ status: 503, headers: HeaderList.from([["Retry-After", "1"], ["Content-Length", "0"]]) });
}

function announce(fields: RateLimitFields, ctx: LimitedRequest, { remaining, resetAfter }: Admission): void {
  ctx.exchange = new AnsweredExchange(ctx.exchange, (head) => {
    const headers = head.headers.copy();
    headers.append("RateLimit-Policy", fields.policy);
    headers.append("RateLimit", fields.state(remaining, resetAfter));
    return { status: head.status, reason: head.reason, headers };
  });
}

function refuse({ fields, status }: RateLimiter, ctx: LimitedRequest, { resetAfter, retryAfter }: Admission): void {
  if (isOver(ctx)) return;
  const headers = HeaderList.from([
    ["Retry-After", String(Math.max(Math.ceil(retryAfter / 1000), 1))],
    ["Content-Length", "0"],
  ]);
  if (fields !== undefined) {
    headers.append("RateLimit-Policy", fields.policy);
    // Retry-After is not to be earlier than it.
    headers.append("RateLimit", fields.state(0, resetAfter === undefined ? undefined : Math.max(retryAfter, 1)));
  }
  ctx.exchange.response.send({ status, headers });
}
