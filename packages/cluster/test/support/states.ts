import {
  ClusterStates,
  createAvailableDestinationsPolicies,
  defaultAvailableDestinationsPolicy,
  roundRobin,
  type ClusterChangeListener,
  type ClusterState,
} from "@proxy/cluster";
import type { ClusterConfig } from "@proxy/config";

/** Clusters with the availability policy that each names. */
export function statesOf(listeners: readonly ClusterChangeListener[] = []): ClusterStates {
  const availability = createAvailableDestinationsPolicies();
  return new ClusterStates(
    {
      cluster: (config) => ({
        config,
        loadBalancing: roundRobin,
        availability: availability.get(config.healthCheck?.availableDestinationsPolicy ?? defaultAvailableDestinationsPolicy),
      }),
    },
    listeners,
  );
}

/** A cluster with destinations of those ids. */
export function configOf(clusterId: string, ids: readonly string[], rest: Partial<ClusterConfig> = {}): ClusterConfig {
  return { clusterId, destinations: Object.fromEntries(ids.map((id) => [id, { address: `http://${id}.test/` }])), ...rest };
}

export function load(states: ClusterStates, ...configs: readonly ClusterConfig[]): readonly ClusterState[] {
  states.prepare(configs).commit();
  return states.all;
}
