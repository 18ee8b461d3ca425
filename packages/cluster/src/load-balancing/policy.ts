import type { Exchange } from "@proxy/http";
import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";

/** What a policy may know of a request beside the exchange. */
export interface PickContext {
  /** What the path of the route captured, by name ignoring case. */
  readonly routeValues: { get(name: string): string | undefined };
}

/** Chooses one of several destinations. Called only when two or more are available. */
export interface LoadBalancingPolicy {
  /** Unique among policies, ignoring case; `LoadBalancingPolicy` of a cluster names it. */
  readonly name: string;
  /**
   * One of `available`, or undefined for "none will do" (answered with 503). Must not throw or change the list. `context` is
   * undefined where nothing routes by paths.
   */
  pick(
    exchange: Exchange,
    cluster: ClusterState,
    available: readonly DestinationState[],
    context?: PickContext,
  ): DestinationState | undefined;
}
