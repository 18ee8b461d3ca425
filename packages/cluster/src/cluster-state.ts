import type { ClusterConfig } from "@proxy/config";
import type { DestinationState } from "./destination-state.ts";

/** What follows from the configuration of one cluster; immutable, swapped as one. */
export interface ClusterModel {
  readonly config: ClusterConfig;
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

  constructor(id: string, model: ClusterModel) {
    this.id = id;
    this.model = model;
  }
}
