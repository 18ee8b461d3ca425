import type { ClusterModel, ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import { systemRandom, type RandomSource } from "../random-source.ts";
import { h32 } from "../xxhash.ts";
import { hashKeyOf, type HashKey } from "./hash-key.ts";
import { ListCache } from "./list-cache.ts";
import { maglevTable, type MaglevTable } from "./maglev-table.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { rendezvous } from "./rendezvous.ts";

const defaultMaxLoad = 125;
const maximumSteps = 64;

interface Prepared {
  readonly key: HashKey;
  /** How much above its share a destination may have, as a factor; 0 is no bound. */
  readonly bound: number;
}

/**
 * Requests with the same key go to the same destination, on every gateway, and few of them move when destinations come and
 * go. `ConsistentHash` of the cluster says what the key is; a request that has none goes anywhere. A destination that has
 * more under way than `MaxLoadPercent` of its share passes requests on to others, for each key in an order of its own
 * (Mirrokni et al., "Consistent hashing with bounded loads"); so does one that has all that `CircuitBreaker` allows. Slow start has no
 * effect here. Of a list that a step made for one request it picks by rendezvous hashing, without a bound.
 */
export function consistentHash(random: RandomSource = systemRandom): LoadBalancingPolicy {
  const tables = new ListCache<MaglevTable>(maglevTable);
  const settings = new WeakMap<ClusterModel, Prepared>();
  const prepare = ({ model }: ClusterState): Prepared => {
    let prepared = settings.get(model);
    if (prepared === undefined) {
      const { consistentHash: config } = model.config;
      prepared = { key: hashKeyOf(config), bound: (config?.maxLoadPercent ?? defaultMaxLoad) / 100 };
      settings.set(model, prepared);
    }
    return prepared;
  };
  return {
    name: "ConsistentHash",
    pick(exchange, cluster, available, context) {
      if (available.length < 2) return available[0];
      const { key, bound } = prepare(cluster);
      const value = key(exchange, context);
      const hash = value === undefined ? random(2 ** 30) : h32(value) >>> 0;
      // A table takes long to make: not for a list that serves this request alone.
      if (!Object.isFrozen(available)) return rendezvous(hash, available);
      const table = tables.get(available);
      const { slots } = table;
      let slot = hash % slots.length;
      let picked = available[slots[slot] as number];
      const { limiter } = cluster;
      if (bound === 0 && limiter === undefined) return picked;
      const stride = (Math.imul(hash, 0x9e37_79b9) >>> 0) % (slots.length - 1) + 1;
      for (let step = 0; step < maximumSteps && picked !== undefined; step++) {
        const hasRoom = limiter === undefined || limiter.hasRoom(picked);
        if (hasRoom && (bound === 0 || picked.inFlight < limitOf(picked, cluster, table, bound))) return picked;
        slot = (slot + stride) % slots.length;
        picked = available[slots[slot] as number];
      }
      return picked;
    },
  };
}

/** At least 1, and together more than there are requests: one of them always has room. */
function limitOf(each: DestinationState, cluster: ClusterState, { totalWeight }: MaglevTable, bound: number): number {
  const share = (each.weight > 0 ? each.weight : 1) / totalWeight;
  return Math.ceil(bound * (cluster.inFlight + 1) * share);
}
