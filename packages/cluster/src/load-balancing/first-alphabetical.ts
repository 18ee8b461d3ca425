import type { DestinationState } from "../destination-state.ts";
import { ListCache } from "./list-cache.ts";
import type { LoadBalancingPolicy } from "./policy.ts";

const firsts = new ListCache(first);

/**
 * Takes the one whose id comes first, ignoring case: an active destination with stand-bys. Compares upper-case
 * forms by code unit, as .NET's OrdinalIgnoreCase does, so `a_` comes after `aB`. One of weight 0 is passed over, unless all are.
 */
export const firstAlphabetical: LoadBalancingPolicy = {
  name: "FirstAlphabetical",
  pick: (_exchange, _cluster, available) => firsts.get(available),
};

function first(available: readonly DestinationState[]): DestinationState | undefined {
  const weighty = available.filter((each) => each.weight > 0);
  let found: DestinationState | undefined;
  for (const each of weighty.length > 0 ? weighty : available) {
    if (found === undefined || each.sortKey < found.sortKey) found = each;
  }
  return found;
}
