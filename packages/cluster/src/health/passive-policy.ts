import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import type { HealthUpdater } from "./health-updater.ts";

/** How a request ended, as far as it tells of the destination. */
export interface RequestOutcome {
  /** The code of the forwarder's error; undefined when forwarding succeeded. */
  readonly error: string | undefined;
  /** The client left before the end. */
  readonly clientGone: boolean;
  /** The status that the destination answered with; undefined when it did not. */
  readonly status: number | undefined;
  /** Milliseconds from sending to the end of the response. */
  readonly duration: number;
  /** Whose fault the error was; undefined when there was none or nobody knows. */
  readonly source?: "client" | "gateway" | "destination" | undefined;
  /** Milliseconds from sending to the head of the response; undefined when none came or nobody measured it. */
  readonly latency?: number | undefined;
}

/** Judges destinations by the requests that they served. */
export interface PassiveHealthPolicy {
  /** Unique among policies, ignoring case; `HealthCheck:Passive:Policy` names it. */
  readonly name: string;
  /** A request to `destination` is over. Sets health through `updater` where that is due. Must not throw. */
  requestEnded(
    cluster: ClusterState,
    destination: DestinationState,
    outcome: RequestOutcome,
    updater: HealthUpdater,
  ): void;
}

/** What tells against the destination. `RouteTimeout` too: it did not answer in the time that the route gives it. */
const destinationFailures: ReadonlySet<string> = new Set([
  "Request",
  "RequestTimedOut",
  "RouteTimeout",
  "RequestBodyDestination",
  "ResponseBodyDestination",
  "UpgradeRequestDestination",
  "UpgradeResponseDestination",
]);

/**
 * Whether the transport failed by the destination's fault. An answer is none, whatever its status; nothing is once the
 * client has gone.
 */
export function isTransportFailure(outcome: Pick<RequestOutcome, "error" | "clientGone" | "source">): boolean {
  if (outcome.error === undefined || outcome.clientGone) return false;
  // A destination that delegates and has no queue; without a source it is the gateway that had nothing to send to.
  if (outcome.error === "NoAvailableDestinations") return outcome.source === "destination";
  return destinationFailures.has(outcome.error);
}
