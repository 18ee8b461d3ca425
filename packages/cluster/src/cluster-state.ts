import type { ClusterConfig } from "@proxy/config";
import type { ClusterAffinity } from "./affinity/cluster-affinity.ts";
import { healthyOrPanic } from "./availability/healthy.ts";
import type { AvailableDestinationsPolicy } from "./availability/policy.ts";
import { systemClock, type Clock } from "./clock.ts";
import type { DestinationState } from "./destination-state.ts";
import type { PassiveHealthPolicy } from "./health/passive-policy.ts";
import { ConcurrencyLimiter } from "./limits/concurrency-limiter.ts";
import type { LoadBalancingPolicy } from "./load-balancing/policy.ts";

/** What follows from the configuration of one cluster; immutable, swapped as one. */
export interface ClusterModel {
  readonly config: ClusterConfig;
  /** The policy that `LoadBalancingPolicy` names. */
  readonly loadBalancing: LoadBalancingPolicy;
  /** The policy that `HealthCheck:AvailableDestinationsPolicy` names. Default `HealthyOrPanic`. */
  readonly availability?: AvailableDestinationsPolicy | undefined;
  /** Undefined when the cluster has none, or not enabled. */
  readonly affinity?: ClusterAffinity | undefined;
  /** The policy that `HealthCheck:Passive:Policy` names; undefined when passive checks are not enabled. */
  readonly passiveHealth?: PassiveHealthPolicy | undefined;
}

/** All destinations and those that may be chosen now; immutable, swapped as one. */
export interface DestinationSet {
  readonly all: readonly DestinationState[];
  readonly available: readonly DestinationState[];
  /** Fit as well, of later priorities: for requests that failed at all of the first. */
  readonly reserve: readonly DestinationState[];
  /** Where requests of sessions may go: `available`, and those that drain and keep their sessions. */
  readonly sessions: readonly DestinationState[];
}

/** One cluster at run time; keeps its identity as long as its id stays in the configuration. */
export class ClusterState {
  readonly id: string;
  model: ClusterModel;
  destinations: DestinationSet = { all: [], available: [], reserve: [], sessions: [] };
  /** Requests under way to this cluster, upgraded connections included. */
  inFlight = 0;
  /** Position of RoundRobin: counts up, 32 bits, wraps. */
  roundRobinCounter = 0;
  /** Counts changes of the configuration other than in destinations, from 1. */
  revision = 1;
  /** Whether balancing has to look at weights: they differ, or destinations start slowly. */
  isWeighted = false;
  /**
   * Lets requests in by `CircuitBreaker`; undefined as long as the cluster has had none. What `inFlight` counts when it comes holds slots
   * from then on.
   */
  limiter: ConcurrencyLimiter | undefined = undefined;
  /** The time that slow starts go by. */
  readonly clock: Clock;

  constructor(id: string, model: ClusterModel, clock: Clock = systemClock) {
    this.id = id;
    this.model = model;
    this.clock = clock;
  }

  /** Asks the policy again which destinations are available, after the health of one changed. */
  refreshAvailable(): void {
    try {
      this.#take(destinationSet(this.model, this.destinations.all));
    } catch {
      // A policy that throws breaks its contract: what was available stays so.
    }
  }

  /** Takes the model and the destinations that a reload brings. Does not fail: a policy that throws leaves all available. */
  use(model: ClusterModel, all: readonly DestinationState[]): void {
    this.model = model;
    this.isWeighted = Boolean(model.config.slowStart) || all.some((each) => each.weight !== 1);
    let set: DestinationSet = { all, available: all, reserve: [], sessions: all };
    try {
      set = destinationSet(model, all);
    } catch {
      // A policy that throws breaks its contract; the configuration is to be in force whole nevertheless.
    }
    const limits = model.config.circuitBreaker;
    this.destinations = set;
    if (limits) this.limiter ??= new ConcurrencyLimiter(this);
    this.limiter?.use(limits ?? undefined);
    this.#take(set);
  }

  #take(set: DestinationSet): void {
    const now = this.clock.now();
    const available = new Set(set.available);
    for (const each of set.all) each.availableSince = available.has(each) ? (each.availableSince ?? now) : undefined;
    this.destinations = set;
    this.limiter?.letIn();
  }
}

/** `all` with those that are available by their health now, of the first priority that has any. */
export function destinationSet(model: ClusterModel, all: readonly DestinationState[]): DestinationSet {
  const policy = model.availability ?? healthyOrPanic;
  // Frozen: policies and steps of users get these very lists, and one of them must not change them for all.
  const isDraining = all.some((each) => each.drain !== undefined);
  const fit = policy.available(model.config, isDraining ? all.filter((each) => each.drain === undefined) : all);
  const available = firstTier(fit);
  const reserve = available === fit ? none : fit.filter((each) => !available.includes(each));
  const sessions = isDraining ? withDraining(available, policy.available(model.config, all)) : available;
  return { all: Object.freeze(all), available: Object.freeze(available), reserve: Object.freeze(reserve), sessions: Object.freeze(sessions) };
}

function withDraining(available: readonly DestinationState[], fit: readonly DestinationState[]): readonly DestinationState[] {
  const draining = fit.filter((each) => each.drain?.keepsSessions === true);
  return draining.length === 0 ? available : [...available, ...draining];
}

const none: readonly DestinationState[] = [];

/** Those of the lowest number. */
export function firstTier(available: readonly DestinationState[]): readonly DestinationState[] {
  const first = available.reduce((lowest, { priority }) => Math.min(lowest, priority), Number.POSITIVE_INFINITY);
  return available.every((each) => each.priority === first) ? available : available.filter((each) => each.priority === first);
}
