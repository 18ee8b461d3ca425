import type { HttpVersionText, VersionPolicy } from "@proxy/config";
import type { ClusterModel, ClusterState, DestinationModel, DestinationState, RetryBudget } from "@proxy/cluster";
import type { Destination } from "@proxy/forwarder";
import type { RetryPolicy } from "../retry/retry-policy.ts";
import type { SharedClient } from "./shared-client.ts";

/** A cluster's settings with what forwarding needs of them. */
export interface ProxyClusterModel extends ClusterModel {
  readonly client: SharedClient;
  /** Milliseconds; undefined is the forwarder's default. */
  readonly activityTimeout: number | undefined;
  /** Undefined is the forwarder's default. */
  readonly version: HttpVersionText | undefined;
  readonly versionPolicy: VersionPolicy | undefined;
  /** Undefined when requests are not retried, unless the route says otherwise. */
  readonly retry: RetryPolicy | undefined;
  readonly retryBudget: RetryBudget;
}

/** A destination's settings with its address prepared. */
export interface ProxyDestinationModel extends DestinationModel {
  readonly prepared: Destination;
  /** The Host of requests where no transform sets one; undefined is the authority of the address. */
  readonly host: string | undefined;
}

/**
 * The model of a cluster of this proxy. The builder of the proxy makes all of its models, so they are of this kind; a cluster
 * of another proxy is refused.
 */
export function proxyModelOf(cluster: ClusterState): ProxyClusterModel {
  const model = cluster.model as Partial<ProxyClusterModel> & ClusterModel;
  if (model.client === undefined) throw new TypeError(`cluster '${cluster.id}' does not belong to a proxy`);
  return model as ProxyClusterModel;
}

/** The model of a destination of this proxy; see `proxyModelOf`. */
export function destinationModelOf(destination: DestinationState): ProxyDestinationModel {
  const model = destination.model as (Partial<ProxyDestinationModel> & DestinationModel) | undefined;
  if (model?.prepared === undefined) throw new TypeError(`destination '${destination.id}' does not belong to a proxy`);
  return model as ProxyDestinationModel;
}
