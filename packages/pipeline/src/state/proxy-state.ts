import type { ClusterState } from "@proxy/cluster";
import type { RouteModel } from "../route-model.ts";
import type { Trust } from "../trusted-peers.ts";

/** The routes and clusters of a running proxy as they are now, health and counters included. Read only. */
export interface ProxyState {
  /** The revision of the configuration in force. */
  readonly revisionId: string;
  /** In matching order. */
  readonly routes: readonly RouteModel[];
  readonly clusters: readonly ClusterState[];
  /** By id, ignoring case. */
  route(id: string): RouteModel | undefined;
  cluster(id: string): ClusterState | undefined;
  /** Whether a peer is one of `trustedProxies`: believed when it says for whom it forwards. */
  readonly trusts: Trust;
}
