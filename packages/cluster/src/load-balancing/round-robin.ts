import type { LoadBalancingPolicy } from "./policy.ts";

/**
 * Takes them in turn. The counter belongs to the cluster and outlives reloads; it indexes the list that is available
 * now, so a change of that list shifts the phase.
 */
export const roundRobin: LoadBalancingPolicy = {
  name: "RoundRobin",
  pick(_exchange, cluster, available) {
    if (available.length === 0) return undefined;
    const position = cluster.roundRobinCounter & 0x7fff_ffff;
    cluster.roundRobinCounter = (cluster.roundRobinCounter + 1) | 0;
    return available[position % available.length];
  },
};
