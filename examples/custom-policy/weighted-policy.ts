import { metadataValue } from "@proxy/config";
import { systemRandom, type DestinationModel, type LoadBalancingPolicy, type RandomSource } from "@proxy/cluster";

/**
 * Picks in proportion to the `Weight` in each destination's metadata: a whole number, 1 when there is none, 0 for a
 * destination that gets nothing.
 */
export function weighted(random: RandomSource = systemRandom): LoadBalancingPolicy {
  // The weight follows from the model, which a reload replaces: read once for each.
  const weights = new WeakMap<DestinationModel, number>();
  const weightOf = (model: DestinationModel): number => {
    let weight = weights.get(model);
    if (weight === undefined) weights.set(model, (weight = parseWeight(metadataValue(model.config.metadata, "Weight"))));
    return weight;
  };
  return {
    name: "Weighted",
    pick(_exchange, _cluster, available) {
      let total = 0;
      for (const destination of available) total += weightOf(destination.model);
      if (total === 0) return undefined;
      let drawn = random(total);
      for (const destination of available) {
        drawn -= weightOf(destination.model);
        if (drawn < 0) return destination;
      }
      return undefined;
    },
  };
}

function parseWeight(text = "1"): number {
  return /^\d{1,4}$/.test(text) ? Number(text) : 1;
}
