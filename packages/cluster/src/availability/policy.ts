import type { ClusterConfig } from "@proxy/config";
import type { DestinationState } from "../destination-state.ts";

/** Says which destinations may be chosen, by their health. Asked when health or configuration changes, never per request. */
export interface AvailableDestinationsPolicy {
  /** Unique among policies, ignoring case; `HealthCheck:AvailableDestinationsPolicy` names it. */
  readonly name: string;
  /** A sublist of `all`, in the same order; `all` itself when none is left out. Must not throw. */
  available(cluster: ClusterConfig, all: readonly DestinationState[]): readonly DestinationState[];
}

/** Every destination, whatever its health. */
export const allDestinations: AvailableDestinationsPolicy = {
  name: "All",
  available: (_cluster, all) => all,
};
