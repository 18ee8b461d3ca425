import { ForwarderError, sharedTimers, type WheelEntry } from "@proxy/forwarder";
import { answerStatus } from "../answer.ts";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import type { Step } from "./step.ts";

/**
 * `Timeout` of a route, or that of its `TimeoutPolicy`, counts from here, the first of the default steps: 504 also while a step behind this one waits.
 * Once the request is forwarded, the forwarder watches what is left of it, until the response head.
 */
export function timeoutStep(logger: ProxyLogger): Step {
  return {
    name: "timeout",
    applies: (route) => route.answer === undefined && route.timeout !== undefined,
    run(ctx, next) {
      ctx.startTick = sharedTimers.current;
      const pending = next(ctx);
      // Nothing to watch when it is over, or with the forwarder, already.
      if (pending === undefined || (ctx.destination !== undefined && ctx.attempts === undefined)) return pending;
      const wait = new StepWait(ctx, logger);
      sharedTimers.add(wait, wait.endTick);
      return pending.finally(() => sharedTimers.remove(wait));
    },
  };
}

/** What is left of the route's `Timeout` in milliseconds; undefined without one. */
export function timeLeft(ctx: ProxyContext): number | undefined {
  const { timeout } = ctx.route;
  if (timeout === undefined || ctx.startTick === 0) return timeout;
  return Math.max(timeout - (sharedTimers.current - ctx.startTick) * sharedTimers.period, 0);
}

class StepWait implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly endTick: number;
  readonly #ctx: ProxyContext;
  readonly #logger: ProxyLogger;

  constructor(ctx: ProxyContext, logger: ProxyLogger) {
    this.#ctx = ctx;
    this.#logger = logger;
    this.endTick = ctx.startTick + sharedTimers.ticks(ctx.route.timeout ?? 0);
  }

  check(tick: number): number {
    const ctx = this.#ctx;
    const { response } = ctx.exchange;
    if (response.started || response.ended) return 0;
    // With the forwarder; a step may wait again where another attempt can follow.
    if (ctx.destination !== undefined) return ctx.attempts !== undefined && tick < this.endTick ? this.endTick : 0;
    if (tick < this.endTick) return this.endTick;
    const { routeId } = ctx.route.config;
    const error = new ForwarderError("RouteTimeout", `RouteTimeout for route '${routeId}': a step waited too long`, {
      source: "gateway",
      retry: "safe",
      status: 504,
    });
    ctx.outcome = error;
    const cluster = ctx.clusterState?.id;
    this.#logger.event("warning", "forwarding-failed", { route: routeId, cluster, code: error.code, source: error.source, error });
    answerStatus(ctx.exchange, 504);
    return 0;
  }
}
