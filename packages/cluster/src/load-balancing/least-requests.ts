import type { DestinationState } from "../destination-state.ts";
import { thawed } from "./list-cache.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { weightsOf, type WeightTable } from "./weights.ts";

/**
 * Takes the one with the fewest requests under way, the earliest on a tie. Looks at all of them. With weights, the one that
 * would have the fewest for its weight with this request.
 */
export const leastRequests: LoadBalancingPolicy = {
  name: "LeastRequests",
  pick(_exchange, cluster, available) {
    const table = weightsOf(cluster, available);
    if (table !== undefined) return leastForWeight(available, table);
    const list = thawed.get(available);
    return list[indexOfLeast(list)];
  },
};

/** Of the first with the fewest; -1 of none. */
function indexOfLeast(list: readonly DestinationState[]): number {
  let least = list.length > 0 ? 0 : -1;
  let fewest = list[0]?.inFlight ?? 0;
  // Nobody has fewer than none.
  for (let i = 1; i < list.length && fewest > 0; i++) {
    const { inFlight } = list[i] as DestinationState;
    if (inFlight >= fewest) continue;
    least = i;
    fewest = inFlight;
  }
  return least;
}

/** Destinations of one weight, in their order, and where in the list each stands. */
interface Peers {
  readonly weight: number;
  readonly members: DestinationState[];
  readonly positions: number[];
}

/** Counts of equal weight compare as they are: a look at each costs no multiplication. */
const peersByTable = new WeakMap<WeightTable, readonly Peers[]>();

function peersOf(available: readonly DestinationState[], table: WeightTable): readonly Peers[] {
  const known = peersByTable.get(table);
  if (known !== undefined) return known;
  const byWeight = new Map<number, Peers>();
  for (const [index, each] of available.entries()) {
    const weight = table.weights[index] as number;
    if (weight === 0) continue;
    let group = byWeight.get(weight);
    if (group === undefined) byWeight.set(weight, (group = { weight, members: [], positions: [] }));
    group.members.push(each);
    group.positions.push(index);
  }
  const peers = [...byWeight.values()];
  if (Object.isFrozen(available)) peersByTable.set(table, peers);
  return peers;
}

/** Compares (under way + 1) / weight without dividing, among the least of each weight. */
function leastForWeight(available: readonly DestinationState[], table: WeightTable): DestinationState | undefined {
  let least: DestinationState | undefined;
  let fewest = 1;
  let itsWeight = 0;
  let itsPosition = 0;
  for (const { weight, members, positions } of peersOf(available, table)) {
    const index = indexOfLeast(members);
    const each = members[index] as DestinationState;
    const count = each.inFlight + 1;
    const position = positions[index] as number;
    const difference = count * itsWeight - fewest * weight;
    if (least !== undefined && (difference > 0 || (difference === 0 && position > itsPosition))) continue;
    least = each;
    fewest = count;
    itsWeight = weight;
    itsPosition = position;
  }
  return least;
}
