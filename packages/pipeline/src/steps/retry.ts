import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import { Attempts } from "../retry/attempts.ts";
import type { Next, Step } from "./step.ts";

/**
 * Runs what stands behind it again, with other destinations, when a destination failed the request: balancing, health and
 * forwarding see each attempt. Only in the chain of routes that `Retry` is configured for, by themselves or by their cluster.
 */
export function retryStep(logger: ProxyLogger): Step {
  return {
    name: "retry",
    applies: (route) => route.answer === undefined && route.mayRetry,
    run(ctx, next) {
      const { cluster, exchange, route } = ctx;
      // A route's section counts also where it turns retries off.
      const policy = route.config.retry ? route.retry : cluster?.retry;
      if (cluster === undefined || policy === undefined || !policy.methods.has(exchange.request.method)) return next(ctx);
      cluster.retryBudget.request();
      return run(ctx, new Attempts(ctx, policy, cluster.retryBudget, logger), next);
    },
  };
}

async function run(ctx: ProxyContext, attempts: Attempts, next: Next): Promise<void> {
  try {
    do await next(ctx);
    while (attempts.advance());
  } finally {
    attempts.close();
  }
}
