import type { LoadBalancingPolicy } from "./policy.ts";

/** Takes the one with the fewest requests under way, the earliest on a tie. Looks at all of them. */
export const leastRequests: LoadBalancingPolicy = {
  name: "LeastRequests",
  pick(_exchange, _cluster, available) {
    let least = available[0];
    if (least === undefined) return undefined;
    for (let i = 1; i < available.length; i++) {
      const other = available[i];
      if (other !== undefined && other.inFlight < least.inFlight) least = other;
    }
    return least;
  },
};
