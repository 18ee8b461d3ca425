import type { Clock, RandomSource } from "@proxy/cluster";
import type { Trust } from "../trusted-peers.ts";
import type { Step } from "./step.ts";

/** Gives a request of a route with `TrafficSplit` its cluster. Where none can be drawn the route has none. */
export function trafficSplitStep(random: RandomSource, clock: Clock, trust: Trust): Step {
  return {
    name: "traffic-split",
    applies: (route) => route.answer === undefined && route.split !== undefined,
    run(ctx, next) {
      const chosen = ctx.route.split?.choose(ctx.exchange, random, clock, trust);
      if (chosen !== undefined) {
        ctx.reassign(chosen.cluster);
        ctx.stickyCookie = chosen.cookie;
      }
      return next(ctx);
    },
  };
}
