import type { ProxyLogger } from "../logger.ts";
import type { Step } from "./step.ts";

/**
 * Leaves one destination: the one that the cluster's policy picks. Not asked when there is only one or none. A policy
 * that picks none leaves none: later steps may still act, `forward` then answers 503. Destinations that have all the requests
 * that `CircuitBreaker` allows are not offered; when that leaves none, all stay, for `circuit-breaker` to wait for one of them.
 */
export function loadBalancingStep(logger: ProxyLogger): Step {
  return {
    name: "load-balancing",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      const cluster = ctx.clusterState;
      const model = ctx.cluster;
      if (cluster !== undefined && model !== undefined && ctx.available.length > 1) {
        const offered = cluster.limiter === undefined ? ctx.available : cluster.limiter.withRoom(ctx.available);
        if (offered.length > 0) {
          const picked = offered.length === 1 ? offered[0] : model.loadBalancing.pick(ctx.exchange, cluster, offered, ctx);
          ctx.available = picked ? [picked] : [];
        }
      }
      if (ctx.available.length === 0) {
        logger.event("warning", "no-available-destinations", {
          route: ctx.route.config.routeId,
          cluster: cluster?.id,
        });
      }
      return next(ctx);
    },
  };
}
