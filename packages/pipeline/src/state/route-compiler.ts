/**
 * From the routes of a configuration to what serves them. The work that can fail is done while the configuration is
 * validated, so that its faults stand in one list with all others; what it gave is kept for the load that follows.
 */
import type { ClusterState, PreparedClusters } from "@proxy/cluster";
import { ConfigError, policyNamed, routeEquals, routePolicies, type ClusterConfig, type ConfigIssue, type PoliciesConfig, type ProxyConfig, type RouteConfig } from "@proxy/config";
import type { ForwardWithOptions } from "@proxy/forwarder";
import { compileRedirect } from "../actions/redirect.ts";
import { compileRespond } from "../actions/respond.ts";
import type { ProxyContext } from "../context.ts";
import { compileErrorPages, type ErrorPages } from "../error-pages/error-pages.ts";
import type { RouteModel } from "../route-model.ts";
import { compileRouteTable, type RouteTable, type RouteTableOptions } from "../routing/index.ts";
import { compileRetry } from "../retry/retry-policy.ts";
import type { Next } from "../steps/step.ts";
import type { TransformCatalogue } from "../transforms/catalogue.ts";
import { isDefaultPlan, planTransforms, planWithProviders } from "../transforms/compile.ts";
import { defaultRouteTransformer } from "../transforms/route-transformer.ts";
import { mirrorModel } from "../traffic/mirrors.ts";
import { TrafficSplit } from "../traffic/traffic-split.ts";
import type { TransformPlan } from "../transforms/transform.ts";
import type { ProxyClusterModel } from "./cluster-models.ts";

/** Faults that the checks of the configuration report too: once is enough. Compiling finds them again in any case. */
const saidByConfig: ReadonlySet<string> = new Set([
  "match-invalid",
  "host-invalid",
  "header-value-empty",
  "query-value-empty",
]);

/** What the route table gives back: the route and the chain of steps that serves it. */
export class RouteSlot {
  readonly config: RouteConfig;
  model: RouteModel | undefined = undefined;
  run: Next | undefined = undefined;

  constructor(config: RouteConfig) {
    this.config = config;
  }
}

/** The part of a route that follows from its own configuration alone. */
interface CompiledRoute {
  readonly transforms: TransformPlan;
  readonly answer: ((ctx: ProxyContext) => void) | undefined;
  readonly errorPages: ErrorPages | undefined;
  readonly issues: readonly ConfigIssue[];
}

export interface RouteCompilerOptions {
  readonly catalogue: TransformCatalogue;
  readonly table: RouteTableOptions;
  /** Those of the proxy. */
  readonly errorPages: ErrorPages | undefined;
  readonly chainOf: (route: RouteModel) => Next;
}

export class RouteCompiler {
  readonly #options: RouteCompilerOptions;
  readonly #routes = new WeakMap<RouteConfig, CompiledRoute>();
  readonly #tables = new WeakMap<ProxyConfig, RouteTable<RouteSlot>>();

  constructor(options: RouteCompilerOptions) {
    this.#options = options;
  }

  /** What is wrong with the transforms and the answer of a route. */
  routeIssues(route: RouteConfig): readonly ConfigIssue[] {
    const provided = this.#options.catalogue.providers.flatMap((provider) => provider.validateRoute?.(route) ?? []);
    return [...this.#compile(route).issues, ...provided];
  }

  /** What the providers of transforms find wrong in a cluster. */
  clusterIssues(cluster: ClusterConfig): readonly ConfigIssue[] {
    return this.#options.catalogue.providers.flatMap((provider) => provider.validateCluster?.(cluster) ?? []);
  }

  /** What is wrong with templates, hosts and rules, and which routes can tie. */
  tableIssues(config: ProxyConfig): readonly ConfigIssue[] {
    try {
      const table = this.#compileTable(config);
      this.#tables.set(config, table);
      return table.issues;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.issues.filter((issue) => !saidByConfig.has(issue.code));
    }
  }

  /** The table of a configuration, with a slot per route that is still to be filled; a new one at each call. Throws `ConfigError`. */
  takeTable(config: ProxyConfig): RouteTable<RouteSlot> {
    const table = this.#tables.get(config) ?? this.#compileTable(config);
    this.#tables.delete(config);
    return table;
  }

  /**
   * Fills the slots of `table` and gives their models by lower-case id. Models of `before` stay where nothing they
   * depend on changed.
   */
  fill(
    table: RouteTable<RouteSlot>,
    clusters: PreparedClusters,
    before: ReadonlyMap<string, RouteModel>,
    policies: PoliciesConfig | undefined,
  ): ReadonlyMap<string, RouteModel> {
    const models = new Map<string, RouteModel>();
    for (const { payload: slot } of table.entries) {
      const { config } = slot;
      const cluster = config.clusterId ? clusters.get(config.clusterId) : undefined;
      const known = before.get(config.routeId.toLowerCase());
      const timeout = timeoutOf(config, policies);
      const kept = known !== undefined && known.timeout === timeout && isCurrent(known, config, cluster, clusters);
      const model = kept ? known : this.#model(config, cluster, clusters, timeout);
      slot.model = model;
      slot.run = this.#options.chainOf(model);
      models.set(config.routeId.toLowerCase(), model);
    }
    return models;
  }

  #compile(route: RouteConfig): CompiledRoute {
    const made = this.#routes.get(route);
    if (made !== undefined) return made;
    const issues: ConfigIssue[] = [];
    const transforms = planTransforms(route, this.#options.catalogue, issues);
    const compiled = { transforms, answer: answerOf(route, issues), errorPages: errorPagesOf(route, issues), issues };
    this.#routes.set(route, compiled);
    return compiled;
  }

  #compileTable(config: ProxyConfig): RouteTable<RouteSlot> {
    const entries = config.routes.filter(isServed).map((route) => ({ config: route, payload: new RouteSlot(route) }));
    return compileRouteTable(entries, this.#options.table);
  }

  #model(config: RouteConfig, cluster: ClusterState | undefined, clusters: PreparedClusters, timeout: number | undefined): RouteModel {
    const { transforms, answer, errorPages, issues } = this.#compile(config);
    if (issues.some((issue) => issue.severity === "error")) {
      throw new ConfigError(`route '${config.routeId}' cannot be used`, issues);
    }
    const plan = this.#options.catalogue.providers.length === 0 ? transforms : this.#provided(config, cluster, clusters);
    const settings = cluster === undefined ? undefined : (clusters.modelOf(cluster) as ProxyClusterModel);
    const forward = settings !== undefined && isDefaultPlan(plan) ? forwardOptions(timeout, settings) : undefined;
    const retry = compileRetry(config.retry);
    const split = config.trafficSplit ? new TrafficSplit(config.trafficSplit, (id) => clusters.get(id)) : undefined;
    const copies = mirrorCluster(config, clusters);
    const mirror = config.mirror && copies !== undefined ? mirrorModel(config.mirror, copies) : undefined;
    const served = cluster === undefined ? (split?.clusters ?? []) : [cluster];
    const mayRetry = config.retry
      ? retry !== undefined
      : served.some((each) => (clusters.modelOf(each) as ProxyClusterModel).retry !== undefined);
    return { config, cluster, timeout, answer, errorPages: errorPages?.before(this.#options.errorPages), transforms: plan, forward, split, mirror, retry, mayRetry };
  }

  /** With what providers add, who want to know the cluster. */
  #provided(config: RouteConfig, cluster: ClusterState | undefined, clusters: PreparedClusters): TransformPlan {
    const issues: ConfigIssue[] = [];
    const settings = cluster === undefined ? undefined : clusters.modelOf(cluster).config;
    const plan = planWithProviders(config, settings, this.#options.catalogue, issues);
    if (issues.some((issue) => issue.severity === "error")) {
      throw new ConfigError(`what providers add to route '${config.routeId}' cannot be used`, issues);
    }
    return plan;
  }
}

function answerOf(route: RouteConfig, issues: ConfigIssue[]): ((ctx: ProxyContext) => void) | undefined {
  if (route.respond) return compileRespond(route, route.respond, issues);
  if (route.redirect) return compileRedirect(route, route.redirect, issues);
  return undefined;
}

function errorPagesOf(route: RouteConfig, issues: ConfigIssue[]): ErrorPages | undefined {
  return compileErrorPages(route.errorPages, (path, message) => {
    issues.push({
      code: "error-page",
      severity: "error",
      message: `${message} (route '${route.routeId}')`,
      entity: { kind: "route", id: route.routeId },
      path: ["ErrorPages", ...path],
    });
  });
}

/** Milliseconds: `Timeout` of the route, or that of its policy, or of the policy `Default`. */
function timeoutOf(route: RouteConfig, policies: PoliciesConfig | undefined): number | undefined {
  const asked = routePolicies(route).timeout;
  if (asked === "disabled") return undefined;
  if (asked !== undefined && "milliseconds" in asked) return asked.milliseconds;
  return policyNamed(policies?.timeout, asked?.policy ?? "Default")?.timeout;
}

function forwardOptions(timeout: number | undefined, cluster: ProxyClusterModel): ForwardWithOptions {
  return {
    client: cluster.client.client,
    activityTimeout: cluster.activityTimeout,
    version: cluster.version,
    versionPolicy: cluster.versionPolicy,
    timeout,
    transformer: defaultRouteTransformer,
  };
}

function isCurrent(
  known: RouteModel,
  config: RouteConfig,
  cluster: ClusterState | undefined,
  clusters: PreparedClusters,
): boolean {
  return (
    known.cluster === cluster &&
    (cluster === undefined || !clusters.settingsChanged(cluster)) &&
    // The file may have changed behind the same name.
    !config.respond?.bodyFile &&
    !config.errorPages?.some((page) => page.bodyFile) &&
    routeEquals(known.config, config) &&
    known.mirror?.cluster === mirrorCluster(config, clusters) &&
    isCurrentSplit(known.split, config, clusters)
  );
}

function mirrorCluster({ mirror }: RouteConfig, clusters: PreparedClusters): ClusterState | undefined {
  return mirror ? clusters.get(mirror.clusterId) : undefined;
}

function isCurrentSplit(known: TrafficSplit | undefined, { trafficSplit }: RouteConfig, clusters: PreparedClusters): boolean {
  if (known === undefined || !trafficSplit) return true;
  const now = Object.keys(trafficSplit.clusters).flatMap((id) => clusters.get(id) ?? []);
  return now.length === known.clusters.length && now.every((each, index) => each === known.clusters[index] && !clusters.settingsChanged(each));
}

/** Whether it is enabled, and has a match: not by its type, but configurations also come from code without types. */
function isServed(route: RouteConfig): boolean {
  return route.enabled !== false && Boolean(route.match);
}
