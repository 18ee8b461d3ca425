/**
 * Weights of a list of destinations, prepared so that a draw costs a binary search. Lists are replaced when health or
 * configuration changes, so a table belongs to a list; while destinations start slowly it is made anew twenty times on
 * the way.
 */
import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";

export interface WeightTable {
  /** By index in the list. */
  readonly weights: Float64Array;
  /** Sums of the weights up to and including each. */
  readonly sums: Float64Array;
  readonly total: number;
  /** When it is out of date, by the cluster's clock. */
  readonly until: number;
}

/** A destination that has just come gets this share of its weight. */
const firstShare = 0.1;
const steps = 20;

const tables = new WeakMap<readonly DestinationState[], WeightTable>();

/** Undefined when all weigh the same: the common case, which costs nothing. */
export function weightsOf(cluster: ClusterState, available: readonly DestinationState[]): WeightTable | undefined {
  if (!cluster.isWeighted) return undefined;
  let table = tables.get(available);
  if (table === undefined || (table.until !== Number.POSITIVE_INFINITY && cluster.clock.now() >= table.until)) {
    table = weigh(cluster, available);
    // A list that may still change keeps none.
    if (Object.isFrozen(available)) tables.set(available, table);
  }
  return table;
}

/** The index that `position`, in [0, 1), falls on. Weight 0 is never hit. */
export function indexAt({ sums, total }: WeightTable, position: number): number {
  const wanted = position * total;
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

function weigh(cluster: ClusterState, available: readonly DestinationState[]): WeightTable {
  const period = cluster.model.config.slowStart ?? 0;
  const now = cluster.clock.now();
  const weights = new Float64Array(available.length);
  const sums = new Float64Array(available.length);
  // Where nobody weighs anything, there is nothing to go by: all are equal.
  const isLevel = available.every((each) => !(each.weight > 0));
  let total = 0;
  let until = Number.POSITIVE_INFINITY;
  available.forEach((each, index) => {
    const age = now - (each.availableSince ?? Number.NEGATIVE_INFINITY);
    const share = period > 0 && age < period ? Math.max(firstShare, age / period) : 1;
    if (share < 1 || age < period) until = now + period / steps;
    weights[index] = (isLevel ? 1 : each.weight) * share;
    total += weights[index] as number;
    sums[index] = total;
  });
  return { weights, sums, total, until };
}
