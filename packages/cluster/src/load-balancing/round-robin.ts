import type { LoadBalancingPolicy } from "./policy.ts";
import { indexAt, weightsOf } from "./weights.ts";

/** 2^32 divided by the golden ratio: multiples of it spread evenly over 32 bits, however many are taken. */
const goldenStep = 0x9e37_79b9;

/**
 * Takes them in turn. The counter belongs to the cluster and outlives reloads; it indexes the list that is available
 * now, so a change of that list shifts the phase. With weights, turns are spread so that each has its share in any stretch.
 */
export const roundRobin: LoadBalancingPolicy = {
  name: "RoundRobin",
  pick(_exchange, cluster, available) {
    if (available.length === 0) return undefined;
    const counter = cluster.roundRobinCounter;
    cluster.roundRobinCounter = (counter + 1) | 0;
    const table = weightsOf(cluster, available);
    if (table !== undefined) return available[indexAt(table, (Math.imul(counter, goldenStep) >>> 0) / 2 ** 32)];
    return available[(counter & 0x7fff_ffff) % available.length];
  },
};
