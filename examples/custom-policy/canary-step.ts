import type { Step } from "@proxy/pipeline";

/** Sends requests that carry `X-Canary: yes` to the cluster that the route names in its metadata (`CanaryCluster`). */
export const canaryStep: Step = {
  name: "canary",
  applies: (route) => route.config.metadata?.["CanaryCluster"] !== undefined,
  run(ctx, next) {
    const name = ctx.route.config.metadata?.["CanaryCluster"];
    if (name !== undefined && ctx.exchange.request.headers.get("x-canary") === "yes") {
      const cluster = ctx.state.cluster(name);
      if (cluster !== undefined) ctx.reassign(cluster);
    }
    return next(ctx);
  },
};
