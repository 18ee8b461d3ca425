import type { ClusterConfig } from "@proxy/config";
import { allDestinations, type AvailableDestinationsPolicy } from "./availability/policy.ts";
import type { DestinationState } from "./destination-state.ts";
import type { LoadBalancingPolicy } from "./load-balancing/policy.ts";

/** What follows from the configuration of one cluster; immutable, swapped as one. */
export interface ClusterModel {
  readonly config: ClusterConfig;
  /** The policy that `LoadBalancingPolicy` names. */
  readonly loadBalancing: LoadBalancingPolicy;
  /** The policy that `HealthCheck:AvailableDestinationsPolicy` names. Default: all destinations. */
  readonly availability?: AvailableDestinationsPolicy | undefined;
}

/** All destinations and those that may be chosen now; immutable, swapped as one. */
export interface DestinationSet {
  readonly all: readonly DestinationState[];
  readonly available: readonly DestinationState[];
}

/** One cluster at run time; keeps its identity as long as its id stays in the configuration. */
export class ClusterState {
  readonly id: string;
  model: ClusterModel;
  destinations: DestinationSet = { all: [], available: [] };
  /** Requests under way to this cluster, upgraded connections included. */
  inFlight = 0;
  /** Position of RoundRobin: counts up, 32 bits, wraps. */
  roundRobinCounter = 0;
  /** Counts changes of the configuration other than in destinations, from 1. */
  revision = 1;

  constructor(id: string, model: ClusterModel) {
    this.id = id;
    this.model = model;
  }

  /** Replaces the destinations; which of them are available follows from their health now. */
  setDestinations(all: readonly DestinationState[]): void {
    const policy = this.model.availability ?? allDestinations;
    this.destinations = { all, available: policy.available(this.model.config, all) };
  }

  /** Asks the policy again, after the health of a destination changed. */
  refreshAvailable(): void {
    this.setDestinations(this.destinations.all);
  }
}
