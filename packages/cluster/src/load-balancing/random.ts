import { systemRandom, type RandomSource } from "../random-source.ts";
import type { LoadBalancingPolicy } from "./policy.ts";

/** Takes any of them, each as likely as the others. */
export function random(source: RandomSource = systemRandom): LoadBalancingPolicy {
  return {
    name: "Random",
    pick(_exchange, _cluster, available) {
      return available.length < 2 ? available[0] : available[source(available.length)];
    },
  };
}
