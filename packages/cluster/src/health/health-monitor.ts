/**
 * Active health: probes the destinations of clusters whose `HealthCheck:Active` is enabled.
 *
 * 1. A cluster that comes is probed at once; so is a destination that is added or moves, alone.
 * 2. A round probes all destinations of its cluster in parallel, each within `Timeout`. A destination that is being
 *    probed is not probed again; if that probe should have ended long since, that counts as a failure.
 * 3. When all have ended, the policy judges them together, and health is set.
 * 4. The next round begins one `Interval` after the end of this one, give or take the jitter.
 *
 * Nothing here waits by itself: `nextDue` and `runDue` are for a scheduler from outside, `start` drives them by the
 * clock's timers.
 */
import type { ActiveHealthCheckConfig } from "@proxy/config";
import { systemClock, type Clock } from "../clock.ts";
import type { ClusterState } from "../cluster-state.ts";
import type { ClusterChangeListener } from "../cluster-states.ts";
import type { DestinationState } from "../destination-state.ts";
import type { PolicyRegistry } from "../policy-registry.ts";
import { systemRandom, type RandomSource } from "../random-source.ts";
import type { ActiveHealthPolicy, ProbeResult } from "./active-policy.ts";
import { createActiveHealthPolicies, defaultActiveHealthPolicy } from "./consecutive-failures.ts";
import type { ProbeRecord } from "./health-log.ts";
import type { HealthUpdater } from "./health-updater.ts";
import type { ProbeRequestFactory } from "./probe-request.ts";
import { Probes, type Probe } from "./probes.ts";
import { driveSchedule, Schedule, type Drivable } from "./schedule.ts";

export interface HealthMonitorOptions {
  readonly probe: Probe;
  readonly updater: HealthUpdater;
  /** Default: `ConsecutiveFailures` alone. */
  readonly policies?: PolicyRegistry<ActiveHealthPolicy> | undefined;
  /** Makes the requests. Default `probeRequest`. */
  readonly request?: ProbeRequestFactory | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: RandomSource | undefined;
  /** Share of the interval by which a round comes earlier or later, so that gateways do not probe in step. Default 0.1. */
  readonly jitter?: number | undefined;
  /** Milliseconds between rounds of a cluster that says nothing. Default 15 000. */
  readonly defaultInterval?: number | undefined;
  /** Milliseconds for a probe of a cluster that says nothing. Default 10 000. */
  readonly defaultTimeout?: number | undefined;
  /** Told of each probe that ended, before the policy judges it. Must not throw. */
  readonly onProbe?: ((cluster: ClusterState, destination: DestinationState, probe: ProbeRecord) => void) | undefined;
  /** Told what a policy threw; its results are lost. */
  readonly onFault?: ((cluster: ClusterState, error: unknown) => void) | undefined;
}

/** To be registered as a listener of `ClusterStates`: that is how it learns of clusters. */
export interface HealthMonitor extends ClusterChangeListener, Drivable {
  /** True when every cluster that was there at first has been probed once, with whatever result. */
  readonly initialProbeCompleted: boolean;
  /** Probes all destinations of a cluster now; joins a round that is under way. Does nothing for one without active checks. */
  probeRound(cluster: ClusterState): Promise<void>;
  /** A round of each of them; resolves when all are over. Never rejects. */
  checkHealth(clusters: Iterable<ClusterState>): Promise<void>;
  /** Probes by the clock's timers from now on. */
  start(): void;
  /** Aborts probes under way; their results do not count. */
  stop(): void;
}

/** A monitor of all clusters that it is told of. It probes nobody until it is driven. */
export function createHealthMonitor(options: HealthMonitorOptions): HealthMonitor {
  return new Monitor(options);
}

/** What the monitor keeps of a cluster. */
class Watched {
  readonly cluster: ClusterState;
  round: Promise<void> | undefined = undefined;
  /** To be probed before the next round. */
  readonly fresh = new Set<DestinationState>();
  /** Where each destination is, as far as known: one that moves is new. */
  places = new Map<DestinationState, string>();

  constructor(cluster: ClusterState) {
    this.cluster = cluster;
  }
}

class Monitor implements HealthMonitor {
  initialProbeCompleted = false;
  readonly #options: HealthMonitorOptions;
  readonly #clock: Clock;
  readonly #policies: PolicyRegistry<ActiveHealthPolicy>;
  readonly #schedule: Schedule<Watched>;
  readonly #watched = new Map<ClusterState, Watched>();
  readonly #probes: Probes;
  readonly #listeners = new Set<() => void>();
  #undrive: (() => void) | undefined = undefined;
  #begun = false;

  constructor(options: HealthMonitorOptions) {
    const { jitter = 0.1, random = systemRandom } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#probes = new Probes({ ...options, clock: this.#clock });
    this.#policies = options.policies ?? createActiveHealthPolicies();
    this.#schedule = new Schedule({
      clock: this.#clock,
      run: ({ cluster }) => this.probeRound(cluster),
      delay: (period) => period * (1 + jitter * (random(2001) / 1000 - 1)),
    });
    this.#schedule.onChange(() => this.#tell());
    this.#schedule.start();
  }

  get nextDue(): number | undefined {
    for (const { fresh } of this.#watched.values()) if (fresh.size > 0) return this.#clock.now();
    return this.#schedule.nextDue;
  }

  async runDue(): Promise<void> {
    const isFirst = !this.#begun;
    this.#begun = true;
    // Rounds first: what they take along is not probed apart.
    const rounds = this.#schedule.runDue();
    await Promise.all([rounds, ...[...this.#watched.values()].map((watched) => this.#probeFresh(watched))]);
    if (isFirst) this.initialProbeCompleted = true;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  probeRound(cluster: ClusterState): Promise<void> {
    if (activeOf(cluster) === undefined) return Promise.resolve();
    const watched = this.#watched.get(cluster) ?? new Watched(cluster);
    if (watched.round === undefined) {
      watched.fresh.clear();
      watched.round = this.#probe(cluster, cluster.destinations.all).finally(() => (watched.round = undefined));
    }
    return watched.round;
  }

  async checkHealth(clusters: Iterable<ClusterState>): Promise<void> {
    this.#begun = true;
    await Promise.all([...clusters].map((cluster) => this.probeRound(cluster)));
    this.initialProbeCompleted = true;
  }

  start(): void {
    this.#schedule.start();
    this.#undrive ??= driveSchedule(this, this.#clock);
  }

  stop(): void {
    this.#undrive?.();
    this.#undrive = undefined;
    this.#schedule.stop();
    this.#probes.stop();
  }

  added(cluster: ClusterState): void {
    this.#watch(cluster);
  }

  changed(cluster: ClusterState): void {
    const active = activeOf(cluster);
    const watched = this.#watched.get(cluster);
    if (active === undefined) this.removed(cluster);
    else if (watched === undefined) this.#watch(cluster);
    else {
      this.#noteFresh(watched);
      this.#schedule.setPeriod(watched, this.#intervalOf(active));
      this.#tell();
    }
  }

  removed(cluster: ClusterState): void {
    const watched = this.#watched.get(cluster);
    if (watched === undefined) return;
    this.#watched.delete(cluster);
    this.#schedule.remove(watched);
  }

  #watch(cluster: ClusterState): void {
    const active = activeOf(cluster);
    if (active === undefined || this.#watched.has(cluster)) return;
    const watched = new Watched(cluster);
    watched.places = placesOf(cluster);
    this.#watched.set(cluster, watched);
    this.#schedule.add(watched, this.#intervalOf(active), 0);
  }

  #noteFresh(watched: Watched): void {
    const places = placesOf(watched.cluster);
    for (const [destination, place] of places) if (watched.places.get(destination) !== place) watched.fresh.add(destination);
    for (const destination of watched.fresh) if (!places.has(destination)) watched.fresh.delete(destination);
    watched.places = places;
  }

  async #probeFresh({ cluster, fresh }: Watched): Promise<void> {
    const destinations = [...fresh];
    fresh.clear();
    if (destinations.length > 0) await this.#probe(cluster, destinations);
  }

  #intervalOf(active: ActiveHealthCheckConfig): number {
    return active.interval ?? this.#options.defaultInterval ?? 15_000;
  }

  async #probe(cluster: ClusterState, destinations: readonly DestinationState[]): Promise<void> {
    const timeout = activeOf(cluster)?.timeout ?? this.#options.defaultTimeout ?? 10_000;
    const results = await Promise.all(destinations.map((destination) => this.#probes.one(cluster, destination, timeout)));
    const active = activeOf(cluster);
    // Both may have changed while the probes were under way.
    if (active === undefined) return;
    const counting = results.filter(
      (result): result is ProbeResult => result !== undefined && cluster.destinations.all.includes(result.destination),
    );
    try {
      const policy = this.#policies.get(active.policy || defaultActiveHealthPolicy);
      this.#options.updater.setActive(cluster, policy.judge(cluster, counting));
    } catch (error) {
      this.#options.onFault?.(cluster, error);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function activeOf(cluster: ClusterState): ActiveHealthCheckConfig | undefined {
  const active = cluster.model.config.healthCheck?.active;
  return active?.enabled === true ? active : undefined;
}

function placesOf(cluster: ClusterState): Map<DestinationState, string> {
  return new Map(
    cluster.destinations.all.map((each) => {
      const { address, health, host } = each.model.config;
      return [each, `${health || address}\n${host ?? ""}`];
    }),
  );
}
