import type { DestinationState } from "../destination-state.ts";
import { ListCache } from "./list-cache.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { weightsOf, type WeightTable } from "./weights.ts";

// V8 reads the elements of frozen arrays eight times slower than those of others: bench/pick.ts.
const thawed = new ListCache((list) => (Object.isFrozen(list) ? [...list] : list));

/**
 * Takes the one with the fewest requests under way, the earliest on a tie. Looks at all of them. With weights, the one that
 * would have the fewest for its weight with this request.
 */
export const leastRequests: LoadBalancingPolicy = {
  name: "LeastRequests",
  pick(_exchange, cluster, available) {
    const list = thawed.get(available);
    const table = weightsOf(cluster, available);
    return table === undefined ? leastOf(list) : leastForWeight(list, table);
  },
};

function leastOf(available: readonly DestinationState[]): DestinationState | undefined {
  let least = available[0];
  if (least === undefined) return undefined;
  let fewest = least.inFlight;
  for (let i = 1; i < available.length; i++) {
    const other = available[i] as DestinationState;
    if (other.inFlight >= fewest) continue;
    least = other;
    fewest = other.inFlight;
  }
  return least;
}

/** Compares (under way + 1) / weight without dividing. */
function leastForWeight(available: readonly DestinationState[], { weights }: WeightTable): DestinationState | undefined {
  let least: DestinationState | undefined;
  let fewest = 1;
  let itsWeight = 0;
  for (let i = 0; i < available.length; i++) {
    const each = available[i] as DestinationState;
    const weight = weights[i] as number;
    const count = each.inFlight + 1;
    if (weight === 0 || (least !== undefined && count * itsWeight >= fewest * weight)) continue;
    least = each;
    fewest = count;
    itsWeight = weight;
  }
  return least;
}
