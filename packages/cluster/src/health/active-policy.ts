import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import type { NewHealth } from "./health-updater.ts";

/** What came of probing one destination. */
export interface ProbeResult {
  readonly destination: DestinationState;
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** Why there was none: the probe failed, took too long, could not be made. */
  readonly error: Error | undefined;
}

/** Judges destinations by their probes. */
export interface ActiveHealthPolicy {
  /** Unique among policies, ignoring case; `HealthCheck:Active:Policy` names it. */
  readonly name: string;
  /** Told the results of one round, all together. Gives what changes; who is left out stays as it is. */
  judge(cluster: ClusterState, results: readonly ProbeResult[]): Iterable<NewHealth>;
}
