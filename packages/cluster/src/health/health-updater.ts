/**
 * Sets the health of destinations, and what follows from it: the list of available destinations, the way back from
 * unhealthy, the log, the listeners. The only writer of `activeHealth`, `passiveHealth` and `ejected`.
 */
import { systemClock, type Clock } from "../clock.ts";
import type { ClusterState } from "../cluster-state.ts";
import type { ClusterChangeListener } from "../cluster-states.ts";
import type { DestinationState, HealthStatus } from "../destination-state.ts";
import type { HealthTransition } from "./health-log.ts";

/** Told, after the fact, that the health of a destination changed. What it throws is ignored. */
export type HealthListener = (cluster: ClusterState, destination: DestinationState, transition: HealthTransition) => void;

/** A judgement to be written down. `reason` is for logs. */
export interface NewHealth {
  readonly destination: DestinationState;
  readonly health: HealthStatus;
  readonly reason: string;
}

/** `clock`: for the time of reactivations, by default the system's. `listeners`: told of each change, in order. */
export interface HealthUpdaterOptions {
  readonly clock?: Clock | undefined;
  readonly listeners?: readonly HealthListener[] | undefined;
}

/** Register it as a listener of `ClusterStates` as well: it then forgets destinations that go. */
export class HealthUpdater implements ClusterChangeListener {
  readonly #clock: Clock;
  readonly #listeners: readonly HealthListener[];
  /** How to call off the reactivation of a destination. */
  readonly #reactivations = new Map<ClusterState, Map<DestinationState, () => void>>();

  constructor(options: HealthUpdaterOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#listeners = options.listeners ?? [];
  }

  /** By active checks; all of them, then the list once. */
  setActive(cluster: ClusterState, states: Iterable<NewHealth>): void {
    const transitions: [DestinationState, HealthTransition][] = [];
    for (const { destination, health, reason } of states) {
      const from = destination.activeHealth;
      if (from === health) continue;
      destination.activeHealth = health;
      transitions.push([destination, { at: this.#clock.date(), kind: "active", from, to: health, reason }]);
    }
    this.#settle(cluster, transitions);
  }

  /**
   * By the outcome of requests. Unhealthy becomes Unknown again after `reactivation` milliseconds, counted from
   * the change to Unhealthy; any other change calls that off.
   */
  setPassive(
    cluster: ClusterState,
    destination: DestinationState,
    health: HealthStatus,
    reactivation: number,
    reason: string,
  ): void {
    const from = destination.passiveHealth;
    if (from === health) return;
    destination.passiveHealth = health;
    this.#callOff(cluster, destination);
    if (health === "Unhealthy") this.#scheduleReactivation(cluster, destination, reactivation);
    this.#settle(cluster, [[destination, { at: this.#clock.date(), kind: "passive", from, to: health, reason }]]);
  }

  /** By comparison with its peers; who ejects sees to the return. */
  setEjected(cluster: ClusterState, destination: DestinationState, ejected: boolean, reason: string): void {
    if (destination.ejected === ejected) return;
    destination.ejected = ejected;
    const [from, to] = ejected ? (["Healthy", "Unhealthy"] as const) : (["Unhealthy", "Healthy"] as const);
    this.#settle(cluster, [[destination, { at: this.#clock.date(), kind: "outlier", from, to, reason }]]);
  }

  changed(cluster: ClusterState): void {
    for (const destination of this.#reactivations.get(cluster)?.keys() ?? []) {
      if (!cluster.destinations.all.includes(destination)) this.#callOff(cluster, destination);
    }
  }

  removed(cluster: ClusterState): void {
    for (const callOff of this.#reactivations.get(cluster)?.values() ?? []) callOff();
    this.#reactivations.delete(cluster);
  }

  /** Leaves no timer behind: what is unhealthy stays so. */
  close(): void {
    for (const cluster of this.#reactivations.keys()) this.removed(cluster);
  }

  #scheduleReactivation(cluster: ClusterState, destination: DestinationState, period: number): void {
    let ofCluster = this.#reactivations.get(cluster);
    if (ofCluster === undefined) this.#reactivations.set(cluster, (ofCluster = new Map()));
    const callOff = this.#clock.after(period, () => {
      this.#forget(cluster, destination);
      this.setPassive(cluster, destination, "Unknown", 0, `${period / 1000} s have passed: it is tried again`);
    });
    ofCluster.set(destination, callOff);
  }

  #callOff(cluster: ClusterState, destination: DestinationState): void {
    this.#reactivations.get(cluster)?.get(destination)?.();
    this.#forget(cluster, destination);
  }

  #forget(cluster: ClusterState, destination: DestinationState): void {
    const ofCluster = this.#reactivations.get(cluster);
    ofCluster?.delete(destination);
    if (ofCluster?.size === 0) this.#reactivations.delete(cluster);
  }

  #settle(cluster: ClusterState, transitions: readonly (readonly [DestinationState, HealthTransition])[]): void {
    if (transitions.length === 0) return;
    cluster.refreshAvailable();
    for (const [destination, transition] of transitions) {
      destination.healthLog.addTransition(transition);
      for (const listener of this.#listeners) {
        try {
          listener(cluster, destination, transition);
        } catch {
          // Health is set: a listener that fails cannot undo it for the others.
        }
      }
    }
  }
}
