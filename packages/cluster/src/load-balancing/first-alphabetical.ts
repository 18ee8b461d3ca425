import type { DestinationState } from "../destination-state.ts";
import type { LoadBalancingPolicy } from "./policy.ts";

/**
 * Takes the one whose id comes first, ignoring case: an active destination with stand-bys. Compares upper-case
 * forms by code unit, as .NET's OrdinalIgnoreCase does, so `a_` comes after `aB`.
 */
export const firstAlphabetical: LoadBalancingPolicy = {
  name: "FirstAlphabetical",
  pick(_exchange, _cluster, available) {
    let first: DestinationState | undefined = available[0];
    if (first === undefined) return undefined;
    for (let i = 1; i < available.length; i++) {
      const other = available[i];
      if (other !== undefined && other.sortKey < first.sortKey) first = other;
    }
    return first;
  },
};
