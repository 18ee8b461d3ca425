import { answerStatus } from "../answer.ts";
import type { ProxyLogger } from "../logger.ts";
import type { Step } from "./step.ts";

/** A route that names no cluster, or none that exists, is answered with 503 (YARP 7.3). */
export function initialiseStep(logger: ProxyLogger): Step {
  return {
    name: "initialise",
    applies: (route) => route.answer === undefined,
    run(ctx, next) {
      if (ctx.clusterState !== undefined) return next(ctx);
      const { routeId, clusterId } = ctx.route.config;
      logger.event("warning", "no-cluster-found", { route: routeId, cluster: clusterId });
      answerStatus(ctx.exchange, 503);
    },
  };
}
