/**
 * Outlier detection: ejects destinations that stand out from the others of their cluster, for a time that grows when it happens
 * again. After Envoy's, whose names and defaults the settings have.
 *
 * 1. `requestEnded` counts. So many failures in a row eject at once.
 * 2. The first request that ends after an interval closes it: success rates and latencies of all are compared, and those that
 *    stand out are ejected. A cluster without requests costs nothing, not even a timer.
 * 3. A share of the destinations stays in any case: beyond it nobody is ejected, and counting begins anew.
 * 4. The n-th ejection in short order takes n times as long; each interval in service makes n smaller by one.
 * 5. Who comes back is judged anew. What ends while a destination is ejected does not count.
 */
import { systemClock, type Clock } from "../clock.ts";
import type { ClusterModel, ClusterState } from "../cluster-state.ts";
import type { ClusterChangeListener } from "../cluster-states.ts";
import type { DestinationState } from "../destination-state.ts";
import type { HealthUpdater } from "../health/health-updater.ts";
import type { RequestOutcome } from "../health/passive-policy.ts";
import { OutlierCounts, verdictOf } from "./outlier-counts.ts";
import { ejectionCeiling, ejectionTime, outlierSettings, type OutlierSettings } from "./outlier-settings.ts";
import { latencyOutliers, successRateOutliers } from "./outliers.ts";

export interface OutlierDetectorOptions {
  /** Sets ejections, and tells its listeners of them. */
  readonly updater: HealthUpdater;
  readonly clock?: Clock | undefined;
  /** Told, with the reason, when a destination stays although it stands out: too many are ejected already. */
  readonly onRefused?: ((cluster: ClusterState, destination: DestinationState, reason: string) => void) | undefined;
}

class Watched {
  readonly counts = new OutlierCounts();
  /** How often in short order. */
  ejections = 0;
  /** When it came back last. */
  returnedAt = 0;
  /** Calls off the return of one that is ejected. */
  callOff: (() => void) | undefined = undefined;
}

class WatchedCluster {
  readonly destinations = new Map<DestinationState, Watched>();
  /** When the interval that runs began. */
  from: number;
  #model: ClusterModel | undefined = undefined;
  #settings: OutlierSettings | undefined = undefined;

  constructor(from: number) {
    this.from = from;
  }

  /** Undefined when detection is not enabled. */
  settingsOf(model: ClusterModel): OutlierSettings | undefined {
    if (this.#model !== model) {
      const config = model.config.outlierDetection;
      this.#model = model;
      this.#settings = config?.enabled === true ? outlierSettings(config) : undefined;
    }
    return this.#settings;
  }
}

/** To be registered as a listener of `ClusterStates`: it then lets go of what is gone or no longer watched. */
export class OutlierDetector implements ClusterChangeListener {
  readonly #updater: HealthUpdater;
  readonly #clock: Clock;
  readonly #onRefused: OutlierDetectorOptions["onRefused"];
  readonly #clusters = new Map<ClusterState, WatchedCluster>();

  constructor(options: OutlierDetectorOptions) {
    this.#updater = options.updater;
    this.#clock = options.clock ?? systemClock;
    this.#onRefused = options.onRefused;
  }

  /** A request to `destination` is over. Does nothing for a cluster whose detection is not enabled. */
  requestEnded(cluster: ClusterState, destination: DestinationState, outcome: RequestOutcome): void {
    if (cluster.model.config.outlierDetection?.enabled !== true) return;
    const verdict = verdictOf(outcome);
    if (verdict === "none" || destination.ejected) return;
    const now = this.#clock.now();
    let watched = this.#clusters.get(cluster);
    if (watched === undefined) this.#clusters.set(cluster, (watched = new WatchedCluster(now)));
    const settings = watched.settingsOf(cluster.model);
    if (settings === undefined) return;
    if (now - watched.from >= settings.interval) this.#closeInterval(cluster, watched, settings, now);
    // The comparison may have ejected it.
    if (destination.ejected) return;
    let its = watched.destinations.get(destination);
    if (its === undefined) {
      // A request that outlived its destination tells nothing of the cluster.
      if (!cluster.destinations.all.includes(destination)) return;
      watched.destinations.set(destination, (its = new Watched()));
    }
    its.counts.add(verdict, outcome.latency);
    if (verdict !== "success") this.#checkRow(cluster, watched, destination, its, settings);
  }

  changed(cluster: ClusterState): void {
    const watched = this.#clusters.get(cluster);
    if (watched === undefined) return;
    const isOff = watched.settingsOf(cluster.model) === undefined;
    for (const [destination, { callOff }] of watched.destinations) {
      const isGone = !cluster.destinations.all.includes(destination);
      if (!isOff && !isGone) continue;
      callOff?.();
      watched.destinations.delete(destination);
      if (!isGone) this.#updater.setEjected(cluster, destination, false, "outlier detection was turned off");
    }
    if (isOff) this.#clusters.delete(cluster);
  }

  removed(cluster: ClusterState): void {
    for (const { callOff } of this.#clusters.get(cluster)?.destinations.values() ?? []) callOff?.();
    this.#clusters.delete(cluster);
  }

  /** Leaves no timer behind: who is ejected stays so. */
  close(): void {
    for (const { destinations } of this.#clusters.values()) for (const { callOff } of destinations.values()) callOff?.();
    this.#clusters.clear();
  }

  #checkRow(
    cluster: ClusterState,
    watched: WatchedCluster,
    destination: DestinationState,
    { counts }: Watched,
    settings: OutlierSettings,
  ): void {
    const { consecutive5xx, consecutiveGatewayFailure } = settings;
    if (consecutiveGatewayFailure > 0 && counts.consecutiveGatewayFailure >= consecutiveGatewayFailure) {
      this.#eject(cluster, watched, destination, `${counts.consecutiveGatewayFailure} requests in a row failed at the gateway: 502, 503, 504 or no answer`);
    } else if (consecutive5xx > 0 && counts.consecutive5xx >= consecutive5xx) {
      this.#eject(cluster, watched, destination, `${counts.consecutive5xx} requests in a row failed: 5xx or no answer`);
    }
  }

  #closeInterval(cluster: ClusterState, watched: WatchedCluster, settings: OutlierSettings, now: number): void {
    watched.from = now;
    const inService = [...watched.destinations].flatMap(([destination, { counts }]) => (destination.ejected ? [] : [[destination, counts] as const]));
    const found = [...successRateOutliers(inService, settings), ...latencyOutliers(inService, settings)];
    for (const [, counts] of inService) counts.clearInterval();
    for (const { subject, reason } of found) if (!subject.ejected) this.#eject(cluster, watched, subject, reason);
  }

  #eject(cluster: ClusterState, watched: WatchedCluster, destination: DestinationState, reason: string): void {
    const its = watched.destinations.get(destination);
    const settings = watched.settingsOf(cluster.model);
    if (its === undefined || settings === undefined) return;
    its.counts.clear();
    const { all } = cluster.destinations;
    const ejected = all.reduce((count, each) => count + (each.ejected ? 1 : 0), 0);
    if (ejected >= ejectionCeiling(settings, all.length)) {
      this.#onRefused?.(cluster, destination, reason);
      return;
    }
    const inService = Math.floor((this.#clock.now() - its.returnedAt) / settings.interval);
    its.ejections = Math.max(0, its.ejections - inService) + 1;
    const time = ejectionTime(settings, its.ejections);
    its.callOff = this.#clock.after(time, () => this.#return(cluster, destination, its, time));
    this.#updater.setEjected(cluster, destination, true, `${reason}; ejected for ${time / 1000} s`);
  }

  #return(cluster: ClusterState, destination: DestinationState, its: Watched, time: number): void {
    its.callOff = undefined;
    its.returnedAt = this.#clock.now();
    its.counts.clear();
    this.#updater.setEjected(cluster, destination, false, `${time / 1000} s have passed: it is tried again`);
  }
}
