import type { ClusterChangeListener, DestinationState } from "@proxy/cluster";
import type { DestinationConfig } from "@proxy/config";
import type { Exchange } from "@proxy/http";

/**
 * Why a request was not handed over. `not-found`: the destination has no queue. `not-attached`: its queue could not be opened.
 * `failed`: giving it away failed. `impossible`: it cannot be given away at all, since its body was touched, its response has started,
 * or its server cannot.
 */
export interface DelegationFailure {
  readonly reason: "not-found" | "not-attached" | "failed" | "impossible";
  readonly error: Error;
}

/** Hands requests to other processes instead of forwarding them: the `Delegator` of `@proxy/delegation`. Told of clusters as they change. */
export interface RequestDelegator extends ClusterChangeListener {
  /** Whether requests to the destination are handed over. */
  delegates(destination: DestinationState): boolean;
  /** Why what a destination asks for cannot be had, as the end of a sentence about it; undefined when it can, or it asks for nothing. */
  fault(destination: DestinationConfig): string | undefined;
  /** Hands it over; calls `done` once, perhaps before it returns. With a failure the request is still the caller's. Must not throw. */
  delegate(exchange: Exchange, destination: DestinationState, done: (failure: DelegationFailure | undefined) => void): void;
  /** The proxy is closed. */
  close(): void;
}
