import { fractionOf, systemRandom, type RandomSource } from "../random-source.ts";
import type { DestinationState } from "../destination-state.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { indexAt, weightsOf, type WeightTable } from "./weights.ts";

// A source that keeps giving the same number must not hang a request; an honest one redraws 16 times with
// a probability below 2^-16.
const maximumRedraws = 16;

/**
 * Draws two different destinations and takes the one with fewer requests under way, the first drawn on a tie.
 * Avoids the busiest without looking at all of them, and without all gateways rushing to the same idle one. With weights,
 * each is drawn as its weight says, and requests count for their destination's weight.
 */
export function powerOfTwoChoices(random: RandomSource = systemRandom): LoadBalancingPolicy {
  return {
    name: "PowerOfTwoChoices",
    pick(_exchange, cluster, available) {
      const count = available.length;
      if (count < 2) return available[0];
      const table = weightsOf(cluster, available);
      if (table !== undefined) return pickByWeight(available, table, random);
      const firstIndex = random(count);
      let secondIndex = random(count);
      for (let redraws = 0; secondIndex === firstIndex; redraws++) {
        secondIndex = redraws < maximumRedraws ? random(count) : (firstIndex + 1) % count;
      }
      const first = available[firstIndex];
      const second = available[secondIndex];
      if (first === undefined || second === undefined) return first ?? second;
      return second.inFlight < first.inFlight ? second : first;
    },
  };
}

/**
 * Both draws go by weight and may hit the same one: else light destinations would get more than their share. But a heavy one that
 * has become slow must not be filled by such draws: a third one counts when it has less than half under way for its weight.
 */
function pickByWeight(
  available: readonly DestinationState[],
  table: WeightTable,
  random: RandomSource,
): DestinationState | undefined {
  const { weights } = table;
  const firstIndex = indexAt(table, fractionOf(random));
  let secondIndex = indexAt(table, fractionOf(random));
  const isSame = secondIndex === firstIndex;
  if (isSame) secondIndex = indexAt(table, fractionOf(random));
  const first = available[firstIndex];
  const second = available[secondIndex];
  if (first === undefined || second === undefined) return first ?? second;
  const load = isSame ? 2 * (second.inFlight + 1) : second.inFlight;
  return load * (weights[firstIndex] as number) < first.inFlight * (weights[secondIndex] as number) ? second : first;
}
