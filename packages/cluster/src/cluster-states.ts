/**
 * The clusters of a running proxy. A new configuration is taken in two steps, so that a reload is whole or not at
 * all:
 *
 * 1. `prepare` builds every model and finds out what changes. It may throw; nothing has changed then.
 * 2. `commit` swaps the models in. It cannot fail.
 *
 * Ids ignore case. A cluster or destination whose id stays keeps its state object, and with it health and counters;
 * one that goes and comes back later starts anew. What is not enabled is not there.
 */
import { clusterSettingsEqual, destinationEquals, type ClusterConfig, type DestinationConfig } from "@proxy/config";
import { systemClock, type Clock } from "./clock.ts";
import { ClusterState, type ClusterModel } from "./cluster-state.ts";
import { DestinationState, type DestinationModel } from "./destination-state.ts";

/** Makes the models; what they hold beside the configuration (a client, a prepared address) is the maker's. */
export interface ClusterModelBuilder {
  /** `previous` is the model to be replaced: what did not change can be taken over from it. */
  cluster(config: ClusterConfig, previous: ClusterModel | undefined): ClusterModel;
  /** Called for each destination of `cluster`, after its model. Default: the configuration alone. */
  destination?(config: DestinationConfig, cluster: ClusterModel, previous: DestinationModel | undefined): DestinationModel;
}

/** Told, in line with a commit, what became of a cluster. What it throws is ignored. */
export interface ClusterChangeListener {
  added?(cluster: ClusterState): void;
  /** Its settings or its destinations changed. */
  changed?(cluster: ClusterState): void;
  removed?(cluster: ClusterState): void;
  /** A destination is no longer in the configuration, or its cluster is not: requests may still be under way there. */
  destinationRemoved?(cluster: ClusterState, destination: DestinationState): void;
}

/** A configuration that is built and not yet in force. */
export interface PreparedClusters {
  /** The cluster of that id, as it will be after `commit`; the same state object as now, if it stays. */
  get(id: string): ClusterState | undefined;
  /** The model that the cluster will have. */
  modelOf(cluster: ClusterState): ClusterModel;
  /** True when the cluster is new or anything but its destinations changed: what was derived from it is stale. */
  settingsChanged(cluster: ClusterState): boolean;
  /** Puts it in force and tells the listeners. Call it once, and before the next `prepare`. */
  commit(): void;
}

interface ClusterPlan {
  readonly state: ClusterState;
  readonly model: ClusterModel;
  readonly fresh: boolean;
  readonly settingsChanged: boolean;
  readonly destinationsChanged: boolean;
  readonly destinations: readonly PlannedDestination[];
}

interface PlannedDestination {
  readonly state: DestinationState;
  readonly model: DestinationModel;
}

/** All clusters by id, and the one place where they change: `prepare`, then `commit`. */
export class ClusterStates {
  readonly #builder: ClusterModelBuilder;
  readonly #listeners: readonly ClusterChangeListener[];
  readonly #clock: Clock;
  #clusters: ReadonlyMap<string, ClusterState> = new Map();

  constructor(builder: ClusterModelBuilder, listeners: readonly ClusterChangeListener[] = [], clock: Clock = systemClock) {
    this.#builder = builder;
    this.#listeners = listeners;
    this.#clock = clock;
  }

  /** The clusters in force, in the order of the configuration. */
  get all(): readonly ClusterState[] {
    return [...this.#clusters.values()];
  }

  /** The cluster of that id, ignoring case. */
  get(id: string): ClusterState | undefined {
    return this.#clusters.get(id.toLowerCase());
  }

  /** Throws when two clusters, or two destinations of one, share an id, and whatever the builder throws. */
  prepare(configs: readonly ClusterConfig[]): PreparedClusters {
    const plans = new Map<string, ClusterPlan>();
    for (const config of configs) {
      if (config.enabled === false) continue;
      const key = config.clusterId.toLowerCase();
      if (plans.has(key)) throw new Error(`duplicate cluster '${config.clusterId}'`);
      plans.set(key, this.#plan(config, this.#clusters.get(key)));
    }
    const byState = new Map([...plans.values()].map((plan) => [plan.state, plan]));
    const planOf = (cluster: ClusterState): ClusterPlan => {
      const plan = byState.get(cluster);
      if (plan === undefined) throw new Error(`cluster '${cluster.id}' is not part of this configuration`);
      return plan;
    };
    return {
      get: (id) => plans.get(id.toLowerCase())?.state,
      modelOf: (cluster) => planOf(cluster).model,
      settingsChanged: (cluster) => planOf(cluster).settingsChanged,
      commit: () => this.#commit(plans),
    };
  }

  #plan(config: ClusterConfig, state: ClusterState | undefined): ClusterPlan {
    const model = this.#builder.cluster(config, state?.model);
    const before = new Map(state?.destinations.all.map((each) => [each.id.toLowerCase(), each]));
    const destinations = new Map<string, PlannedDestination>();
    let destinationsChanged = false;
    for (const [id, each] of Object.entries(config.destinations ?? {})) {
      if (each.enabled === false) continue;
      const key = id.toLowerCase();
      if (destinations.has(key)) throw new Error(`duplicate destination '${id}' in cluster '${config.clusterId}'`);
      const known = before.get(key);
      const next = this.#builder.destination?.(each, model, known?.model) ?? { config: each };
      if (known === undefined || !destinationEquals(known.model.config, each)) destinationsChanged = true;
      destinations.set(key, { state: known ?? new DestinationState(id, next), model: next });
    }
    return {
      state: state ?? new ClusterState(config.clusterId, model, this.#clock),
      model,
      fresh: state === undefined,
      settingsChanged: state === undefined || !clusterSettingsEqual(state.model.config, config),
      destinationsChanged: destinationsChanged || destinations.size !== before.size,
      destinations: [...destinations.values()],
    };
  }

  #commit(plans: ReadonlyMap<string, ClusterPlan>): void {
    const before = this.#clusters;
    const gone = goneDestinations(before, plans);
    this.#clusters = new Map([...plans].map(([key, plan]) => [key, plan.state]));
    for (const plan of plans.values()) {
      for (const { state, model } of plan.destinations) state.use(model);
      if (plan.settingsChanged && !plan.fresh) plan.state.revision++;
      plan.state.use(plan.model, plan.destinations.map(({ state }) => state));
    }
    for (const { state, fresh, settingsChanged, destinationsChanged } of plans.values()) {
      if (fresh) this.#tell((listener) => listener.added?.(state));
      else if (settingsChanged || destinationsChanged) this.#tell((listener) => listener.changed?.(state));
    }
    for (const [key, state] of before) if (!plans.has(key)) this.#tell((listener) => listener.removed?.(state));
    for (const [cluster, destination] of gone) this.#tell((listener) => listener.destinationRemoved?.(cluster, destination));
  }

  #tell(call: (listener: ClusterChangeListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch {
        // The configuration is in force: a listener that fails cannot undo it for the others.
      }
    }
  }
}

function goneDestinations(
  before: ReadonlyMap<string, ClusterState>,
  plans: ReadonlyMap<string, ClusterPlan>,
): readonly (readonly [ClusterState, DestinationState])[] {
  return [...before].flatMap(([key, cluster]) => {
    const stay = new Set(plans.get(key)?.destinations.map(({ state }) => state));
    return cluster.destinations.all.filter((each) => !stay.has(each)).map((each) => [cluster, each] as const);
  });
}
