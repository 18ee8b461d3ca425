/**
 * `CircuitBreaker` of the cluster: lets a request through to the destination that balancing left, has it wait, or refuses it.
 *
 * 1. Room at the cluster and at the destination: both slots are taken, and given back when the steps behind are over, in
 *    whatever way: answered, failed, thrown, tunnel closed.
 * 2. No room: the request waits in the cluster's queue, where there is a place. When slots come, the cluster's policy chooses
 *    among those that have room. A request that ends while it waits (its client leaves, the route's `Timeout` runs out) leaves
 *    the queue and goes no further.
 * 3. No place to wait, or waited too long: 503 with Retry-After and the outcome `Overloaded`.
 *
 * In the chain of every route that forwards: a step may send a request to another cluster than the route's. Without limits it
 * costs a comparison.
 */
import type { Clock, ClusterState, ConcurrencyLimiter, DestinationState } from "@proxy/cluster";
import { ForwarderError } from "@proxy/forwarder";
import { HeaderList } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import type { Next, Step } from "./step.ts";

export function circuitBreakerStep(logger: ProxyLogger, clock: Clock): Step {
  const refusals = new RefusalLog(logger, clock);
  return {
    name: "circuit-breaker",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      const cluster = ctx.clusterState;
      const limiter = cluster?.limiter;
      if (cluster === undefined || limiter === undefined || ctx.available.length === 0) return next(ctx);
      const [only] = ctx.available;
      if (ctx.available.length === 1 && only !== undefined && limiter.tryEnter(only)) return pass(ctx, next, limiter, only);
      return queue(ctx, next, cluster, limiter, refusals);
    },
  };
}

/** With slots taken. */
function pass(ctx: ProxyContext, next: Next, limiter: ConcurrencyLimiter, destination: DestinationState): void | Promise<void> {
  let pending: void | Promise<void>;
  try {
    pending = next(ctx);
  } catch (error) {
    limiter.leave(destination);
    throw error;
  }
  if (pending !== undefined) return pending.finally(() => limiter.leave(destination));
  limiter.leave(destination);
}

function queue(
  ctx: ProxyContext,
  next: Next,
  cluster: ClusterState,
  limiter: ConcurrencyLimiter,
  refusals: RefusalLog,
): void | Promise<void> {
  const { exchange } = ctx;
  const candidates = ctx.available;
  const entered = Promise.withResolvers<DestinationState | undefined>();
  const takeOut = limiter.wait({
    candidates,
    pick: (withRoom) => (withRoom.length === 1 ? withRoom[0] : ctx.cluster?.loadBalancing.pick(exchange, cluster, withRoom, ctx)),
    end: entered.resolve,
  });
  if (takeOut === undefined) {
    refuse(ctx, cluster, limiter, refusals);
    return;
  }
  let isOver = false;
  exchange.onComplete(() => {
    isOver = true;
    takeOut();
    // Nothing when a destination has come already: then its slots are given back below.
    entered.resolve(undefined);
  });
  return entered.promise.then((destination) => {
    if (isOver) {
      if (destination !== undefined) limiter.leave(destination);
      ctx.outcome ??= abandoned;
      return;
    }
    if (destination === undefined) {
      refuse(ctx, cluster, limiter, refusals);
      return;
    }
    ctx.available = [destination];
    return pass(ctx, next, limiter, destination);
  });
}

/** Made once: shedding load must not pay for stack traces. */
const overloaded = new ForwarderError("Overloaded", "as many requests are under way as the cluster allows", {
  source: "gateway",
  retry: "safe",
  status: 503,
});
const abandoned = new ForwarderError("RequestCanceled", "the client left while the request waited for its turn", {
  source: "client",
  retry: "never",
});

function refuse(ctx: ProxyContext, cluster: ClusterState, limiter: ConcurrencyLimiter, refusals: RefusalLog): void {
  ctx.outcome = overloaded;
  refusals.add(cluster);
  const { response } = ctx.exchange;
  if (response.started || response.ended) return;
  response.send({
    status: 503,
    headers: HeaderList.from([
      ["Retry-After", limiter.retryAfter],
      ["Content-Length", "0"],
    ]),
  });
}

/** An overload is told once a second: a log that grows with it would make it worse. */
class RefusalLog {
  readonly #logger: ProxyLogger;
  readonly #clock: Clock;
  readonly #told = new WeakMap<ClusterState, { at: number; count: number }>();

  constructor(logger: ProxyLogger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  add(cluster: ClusterState): void {
    const now = this.#clock.now();
    let last = this.#told.get(cluster);
    if (last === undefined) this.#told.set(cluster, (last = { at: Number.NEGATIVE_INFINITY, count: 0 }));
    last.count++;
    if (now - last.at < 1_000) return;
    const { active = 0, waiting = 0 } = cluster.limiter ?? {};
    this.#logger.event("warning", "cluster-overloaded", { cluster: cluster.id, code: "Overloaded", refused: last.count, active, waiting });
    last.at = now;
    last.count = 0;
  }
}
