/**
 * Destinations that get no new requests while those under way finish: by call, until that is taken back, and those that a
 * reload took out of the configuration.
 */
import type { ClusterState } from "./cluster-state.ts";
import type { ClusterChangeListener } from "./cluster-states.ts";
import type { DestinationState } from "./destination-state.ts";

export interface DrainOptions {
  /** Whether requests of sessions that are bound to the destination still go there (default), or move elsewhere. */
  readonly sessions?: "keep" | "move" | undefined;
  /**
   * Whether open WebSockets are left alone (default), or told on both sides that the gateway goes away (Close, 1001), so that clients
   * connect anew, elsewhere. Nothing is cut. May be asked for during a drain.
   */
  readonly webSockets?: "keep" | "farewell" | undefined;
}

/** What became of a drain. `drained`: nothing is under way there for the first time. */
export interface DrainTransition {
  readonly kind: "draining" | "drained" | "undrained";
  /** `removed`: a reload took the destination, or its cluster, out of the configuration. */
  readonly cause: "call" | "removed";
  /** Requests under way there. */
  readonly inFlight: number;
}

/** Told, after the fact. What it throws is ignored. */
export type DrainListener = (cluster: ClusterState, destination: DestinationState, transition: DrainTransition) => void;

/** Why a destination gets no new requests. */
export class DestinationDrain {
  readonly cause: "call" | "removed";
  readonly keepsSessions: boolean;
  /** Resolves when nothing is under way there for the first time, or the drain is taken back. Never rejects. */
  readonly over: Promise<void>;
  readonly #end: () => void;
  readonly #onIdle: () => void;
  #isDrained = false;

  constructor(cause: "call" | "removed", keepsSessions: boolean, onIdle: () => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.cause = cause;
    this.keepsSessions = keepsSessions;
    this.over = promise;
    this.#end = resolve;
    this.#onIdle = onIdle;
  }

  /** Whether there was a moment with nothing under way. Requests of sessions may have come since. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** To be called by whoever counts `inFlight` of the destination down to 0. */
  idle(): void {
    if (this.#isDrained) return;
    this.#isDrained = true;
    this.#onIdle();
    this.#end();
  }

  /** It is taken back, or another took its place. */
  end(): void {
    this.#end();
  }
}

/** Register it as a listener of `ClusterStates`: it then drains what goes. */
export class Drains implements ClusterChangeListener {
  readonly #listeners: readonly DrainListener[];

  constructor(listeners: readonly DrainListener[] = []) {
    this.#listeners = listeners;
  }

  /**
   * No new requests from now on, whatever its health; not even when no other destination is left. Resolves when nothing
   * is under way there, or when the drain is taken back. It outlives reloads, not the process.
   */
  drain(cluster: ClusterState, destination: DestinationState, options: DrainOptions = {}): Promise<void> {
    const before = destination.drain;
    if (options.webSockets === "farewell") this.#sayFarewell(destination);
    const keepsSessions = options.sessions !== "move";
    if (before !== undefined && (before.cause === "removed" || before.keepsSessions === keepsSessions)) return before.over;
    const drain = this.#begin(cluster, destination, "call", keepsSessions);
    cluster.refreshAvailable();
    this.#tell(cluster, destination, "draining", "call");
    if (destination.inFlight === 0) drain.idle();
    // Who waits for a drain whose sessions are to move as well waits on.
    if (before !== undefined) void drain.over.then(() => before.end());
    return drain.over;
  }

  /** Takes a drain by call back; gives whether there was one. */
  undrain(cluster: ClusterState, destination: DestinationState): boolean {
    const { drain } = destination;
    if (drain === undefined || drain.cause === "removed") return false;
    destination.drain = undefined;
    cluster.refreshAvailable();
    this.#tell(cluster, destination, "undrained", "call");
    drain.end();
    return true;
  }

  destinationRemoved(cluster: ClusterState, destination: DestinationState): void {
    const before = destination.drain;
    const drain = this.#begin(cluster, destination, "removed", false);
    destination.availableSince = undefined;
    if (destination.inFlight > 0) this.#tell(cluster, destination, "draining", "removed");
    else drain.idle();
    if (before !== undefined) void drain.over.then(() => before.end());
  }

  #sayFarewell(destination: DestinationState): void {
    const { farewell } = destination;
    destination.farewell = undefined;
    farewell?.abort();
  }

  #begin(cluster: ClusterState, destination: DestinationState, cause: "call" | "removed", keepsSessions: boolean): DestinationDrain {
    const drain = new DestinationDrain(cause, keepsSessions, () => this.#tell(cluster, destination, "drained", cause));
    destination.drain = drain;
    return drain;
  }

  #tell(cluster: ClusterState, destination: DestinationState, kind: DrainTransition["kind"], cause: "call" | "removed"): void {
    for (const listener of this.#listeners) {
      try {
        listener(cluster, destination, { kind, cause, inFlight: destination.inFlight });
      } catch {
        // The state is set: a listener that fails cannot undo it for the others.
      }
    }
  }
}
