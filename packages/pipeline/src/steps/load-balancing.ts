import { systemClock, type Clock, type ClusterState, type DestinationState } from "@proxy/cluster";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import type { ProxyClusterModel } from "../state/cluster-models.ts";
import { SparseEvents } from "./sparse-events.ts";
import type { Step } from "./step.ts";

/**
 * Leaves one destination: the one that the cluster's policy picks. Not asked when there is only one or none. A policy
 * that picks none leaves none: later steps may still act, `forward` then answers 503. When it picks one that has all the
 * requests that `CircuitBreaker` allows, it is asked again with those that have room; when none has, all stay, for `circuit-breaker`
 * to wait for one of them.
 */
export function loadBalancingStep(logger: ProxyLogger, clock: Clock = systemClock): Step {
  const none = new SparseEvents(clock);
  return {
    name: "load-balancing",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      const cluster = ctx.clusterState;
      const model = ctx.cluster;
      if (cluster !== undefined && model !== undefined && ctx.available.length > 1) ctx.available = balanced(ctx, cluster, model);
      if (ctx.available.length === 0) {
        const count = cluster === undefined ? 1 : none.due(cluster);
        if (count > 0) {
          logger.event("warning", "no-available-destinations", { route: ctx.route.config.routeId, cluster: cluster?.id, code: "NoAvailableDestinations", count });
        }
      }
      return next(ctx);
    },
  };
}

function balanced(ctx: ProxyContext, cluster: ClusterState, { loadBalancing }: ProxyClusterModel): readonly DestinationState[] {
  const { available, exchange } = ctx;
  const { limiter } = cluster;
  if (limiter?.isFull === true) return available;
  let picked = loadBalancing.pick(exchange, cluster, available, ctx);
  if (picked !== undefined && limiter !== undefined && !limiter.hasRoom(picked)) {
    const withRoom = limiter.withRoom(available);
    if (withRoom.length === 0) return available;
    picked = withRoom.length === 1 ? withRoom[0] : loadBalancing.pick(exchange, cluster, withRoom, ctx);
  }
  return picked ? [picked] : [];
}
