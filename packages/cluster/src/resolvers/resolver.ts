import type { ClusterConfig, DestinationConfig, ProxyConfig } from "@proxy/config";

/** Destinations by id, as in a cluster's configuration. */
export type Destinations = Readonly<Record<string, DestinationConfig>>;

export interface ResolvedDestinations {
  readonly destinations: Destinations;
  /** Milliseconds until it should be asked again; undefined: when the configuration changes. */
  readonly refreshAfter?: number | undefined;
}

/** Turns the destinations of the configuration into those that there are: names into addresses, services into members. */
export interface DestinationResolver {
  /** Names it in errors and logs. */
  readonly name: string;
  /**
   * What `destinations` of cluster `clusterId`, whose settings are `cluster`, stand for. Rejects when it cannot say: that fails the load, and the
   * configuration in force stays.
   */
  resolve(clusterId: string, destinations: Destinations, cluster?: ClusterConfig): ResolvedDestinations | Promise<ResolvedDestinations>;
  /** `listener` is told when `resolve` would give something else. Gives how to stop that. */
  subscribe?(listener: () => void): () => void;
}

/** A resolver failed; `cause` says why, and the message too. */
export class ResolverError extends Error {
  override readonly name = "ResolverError";
  readonly code = "resolver-failed";
  readonly clusterId: string;
  /** The whole configuration as it was written, whose other faults can be told at the same time. */
  salvaged: ProxyConfig | undefined = undefined;

  constructor(clusterId: string, options: ErrorOptions) {
    const { cause } = options;
    super(`the destinations of cluster '${clusterId}' could not be resolved${cause instanceof Error ? `: ${cause.message}` : ""}`, options);
    this.clusterId = clusterId;
  }
}
