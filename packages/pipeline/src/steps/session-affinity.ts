import type { AffinityResult } from "@proxy/cluster";
import type { HeaderList } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import type { ProxyLogger } from "../logger.ts";
import { clientScheme } from "../transforms/client-scheme.ts";
import type { Next, Step } from "./step.ts";

/**
 * Leaves the destinations of the request's session, where the cluster has `SessionAffinity`. A request without a key keeps
 * all; one whose key leads nowhere is the failure policy's affair. The key of the destination that answers is
 * written by `writeAffinityKey`, when its response comes.
 */
export function sessionAffinityStep(logger: ProxyLogger): Step {
  const failed = async (ctx: ProxyContext, found: AffinityResult, next: Next): Promise<void> => {
    const policy = ctx.cluster?.affinity?.failurePolicy;
    if (policy === undefined || (await policy.handle(ctx.exchange, ctx.clusterState, found.status))) return next(ctx);
    // Unreadable keys are the clients' doing: they must not be able to fill a log.
    const level = found.status === "AffinityKeyExtractionFailed" ? "debug" : "warning";
    logger.event(level, "affinity-failed", {
      route: ctx.route.config.routeId,
      cluster: ctx.clusterState?.id,
      status: found.status,
      reason: found.reason,
    });
  };
  const goOn = (ctx: ProxyContext, found: AffinityResult, next: Next): void | Promise<void> => {
    ctx.affinity = found;
    if (found.status === "OK") {
      ctx.beforeAffinity = ctx.available;
      ctx.available = found.destinations;
    } else if (found.status !== "AffinityKeyNotSet") return failed(ctx, found, next);
    return next(ctx);
  };
  return {
    name: "session-affinity",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      const affinity = ctx.cluster?.affinity;
      if (affinity === undefined) return next(ctx);
      const set = ctx.clusterState?.destinations;
      // Where no step narrowed the choice, sessions find their destination also while it drains.
      const found = affinity.find(ctx.exchange, set !== undefined && ctx.available === set.available ? set.sessions : ctx.available);
      return "status" in found ? goOn(ctx, found, next) : found.then((later) => goOn(ctx, later, next));
    },
  };
}

/** Whether a response to this request hands out the key of its destination. */
export function handsOutAffinityKey(ctx: ProxyContext): boolean {
  return ctx.affinity !== undefined && ctx.affinity.status !== "OK";
}

/** To be called with the headers of a response that came from the destination: no other pins a client. */
export function writeAffinityKey(ctx: ProxyContext, headers: HeaderList): void {
  const { affinity: found, cluster, destination } = ctx;
  if (found === undefined || destination === undefined) return;
  cluster?.affinity?.affinitize(ctx.exchange, found, destination, headers, clientScheme(ctx));
}
