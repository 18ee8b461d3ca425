import { fractionOf, systemRandom, type RandomSource } from "../random-source.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { indexAt, weightsOf } from "./weights.ts";

/** Takes any of them, each as likely as the others, or as its weight says. */
export function random(source: RandomSource = systemRandom): LoadBalancingPolicy {
  return {
    name: "Random",
    pick(_exchange, cluster, available) {
      if (available.length < 2) return available[0];
      const table = weightsOf(cluster, available);
      return available[table === undefined ? source(available.length) : indexAt(table, fractionOf(source))];
    },
  };
}
