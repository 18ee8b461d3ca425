import type { SessionAffinityConfig } from "@proxy/config";
import type { Exchange, HeaderList } from "@proxy/http";
import type { DestinationState } from "../destination-state.ts";

/** How the search for the destination of a session went. */
export type AffinityStatus =
  /** The request names a destination that is available. */
  | "OK"
  /** The request carries no key. */
  | "AffinityKeyNotSet"
  /** It carries one that cannot be read: malformed, too long, tampered with, of an unknown secret. */
  | "AffinityKeyExtractionFailed"
  /** The key is a good one, but no available destination has it. */
  | "DestinationNotFound";

/** Why, for logs; never holds the key. */
export type AffinityFailureReason = "decrypt-failed" | "several-values" | "no-match" | "no-destinations";

/** Where the session of a request belongs. `reason` says why it has no place, or no key that is understood. */
export interface AffinityResult {
  readonly status: AffinityStatus;
  /** With `OK`: where the session may go; usually one. Balancing chooses among several. */
  readonly destinations: readonly DestinationState[];
  readonly reason?: AffinityFailureReason | undefined;
}

/**
 * Keeps the requests of one session at one destination, by a key that responses hand out and requests bring back.
 * Asked only while `SessionAffinity` of the cluster is enabled, with those settings.
 */
export interface SessionAffinityPolicy {
  /** Unique among policies, ignoring case; `SessionAffinity:Policy` names it. */
  readonly name: string;
  /** What is wrong with settings that it cannot work with; undefined when nothing is. Asked at load. */
  fault?(settings: SessionAffinityConfig): string | undefined;
  /** Looks for the request's key among `available`. Whatever a client sends, it must neither throw nor reject. */
  find(
    exchange: Exchange,
    settings: SessionAffinityConfig,
    available: readonly DestinationState[],
  ): AffinityResult | Promise<AffinityResult>;
  /**
   * Writes the key of `destination` into the headers of the response. `scheme` is that by which the client came, where somebody trusted
   * in front of the gateway says so; default: that of the connection.
   */
  affinitize(
    exchange: Exchange,
    settings: SessionAffinityConfig,
    destination: DestinationState,
    headers: HeaderList,
    scheme?: "http" | "https" | undefined,
  ): void;
}

const none: readonly DestinationState[] = [];

export const keyNotSet: AffinityResult = { status: "AffinityKeyNotSet", destinations: none };
export const severalValues: AffinityResult = {
  status: "AffinityKeyExtractionFailed",
  destinations: none,
  reason: "several-values",
};
export const unreadableKey: AffinityResult = {
  status: "AffinityKeyExtractionFailed",
  destinations: none,
  reason: "decrypt-failed",
};
export const noMatch: AffinityResult = { status: "DestinationNotFound", destinations: none, reason: "no-match" };
export const noDestinations: AffinityResult = {
  status: "DestinationNotFound",
  destinations: none,
  reason: "no-destinations",
};
