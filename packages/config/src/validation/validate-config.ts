import type { ClusterConfig } from "../cluster-config.ts";
import type { ConfigIssue } from "../config-issue.ts";
import { inOrder, shorten } from "../config-issue.ts";
import type { ConfigFilter, ConfigValidator } from "../config-provider.ts";
import type { ProxyConfig } from "../proxy-config.ts";
import type { RouteConfig } from "../route-config.ts";
import type { IssuePath } from "./issue-collector.ts";
import { IssueCollector } from "./issue-collector.ts";
import type { KnownPolicies, PolicyNames } from "./known-policies.ts";
import { policyNames } from "./known-policies.ts";
import { validatePolicies, withDefinedPolicies } from "./validate-policies.ts";
import { validateCluster } from "./validate-cluster.ts";
import { validateRoute } from "./validate-route.ts";

export interface ValidateOptions {
  /** Further checks; each runs on every entity, whatever others found. */
  readonly validators?: readonly ConfigValidator[] | undefined;
  /** Policies that the application registered, beyond the built-in ones. */
  readonly known?: KnownPolicies | undefined;
}

/** Everything that is wrong or doubtful: issues of routes, then of clusters, then of the whole. No error means it can be applied. */
export async function validateConfig(config: ProxyConfig, options: ValidateOptions = {}): Promise<readonly ConfigIssue[]> {
  return (await checkConfig(config, [], options)).issues;
}

export interface CheckedConfig {
  /** After the filters. */
  readonly config: ProxyConfig;
  readonly issues: readonly ConfigIssue[];
}

/** Runs the filters on every cluster, then on every route with its filtered cluster, and validates what they give. */
export async function checkConfig(
  config: ProxyConfig,
  filters: readonly ConfigFilter[],
  options: ValidateOptions,
): Promise<CheckedConfig> {
  const policies = policyNames(withDefinedPolicies(options.known ?? {}, config.policies));
  const validators = options.validators ?? [];
  const clusterIssues: ConfigIssue[] = [];
  const clusters = new Map<string, ClusterConfig>();
  for (const original of config.clusters) {
    const cluster = await filterCluster(original, filters, clusterIssues);
    if (cluster === undefined) continue;
    if (isDuplicate("cluster", original.clusterId, clusters, clusterIssues)) continue;
    clusters.set(key(original.clusterId), cluster);
    clusterIssues.push(...(await checkCluster(cluster, policies, validators)));
  }
  const routeIssues: ConfigIssue[] = [];
  const routes = new Map<string, RouteConfig>();
  for (const original of config.routes) {
    const route = await filterRoute(original, clusters.get(key(original.clusterId ?? "")), filters, routeIssues);
    if (route === undefined) continue;
    if (isDuplicate("route", original.routeId, routes, routeIssues)) continue;
    routes.set(key(original.routeId), route);
    routeIssues.push(...(await checkRoute(route, policies, validators)));
    routeIssues.push(...clusterReferences(route, clusters));
  }
  const checked: ProxyConfig = { ...config, routes: [...routes.values()], clusters: [...clusters.values()] };
  const issues = [...routeIssues, ...clusterIssues, ...validatePolicies(config.policies)];
  for (const validator of validators) {
    if (validator.validateConfig === undefined) continue;
    issues.push(...(await guarded(validator, undefined, () => validator.validateConfig?.(checked) ?? [])));
  }
  return { config: checked, issues: inOrder(issues) };
}

function key(id: string | null | undefined): string {
  return (id ?? "").toLowerCase();
}

function isDuplicate(kind: "route" | "cluster", id: string, seen: ReadonlyMap<string, unknown>, issues: ConfigIssue[]): boolean {
  if (!id || !seen.has(key(id))) return false;
  const found = new IssueCollector(kind, id);
  found.error(`${kind}-duplicate`, [], `the id stands twice; ids ignore case, also across providers`);
  issues.push(...found.issues);
  return true;
}

/** Clusters that a route names and that cannot serve it: requests get 503, as with YARP. */
function clusterReferences(route: RouteConfig, clusters: ReadonlyMap<string, ClusterConfig>): readonly ConfigIssue[] {
  if (route.enabled === false) return [];
  const found = new IssueCollector("route", route.routeId);
  const check = (id: string | null | undefined, path: IssuePath, consequence: string): void => {
    if (!id) return;
    const cluster = clusters.get(key(id));
    if (cluster === undefined) {
      found.warn("cluster-unknown", path, `there is no cluster '${shorten(id)}': ${consequence}`, { value: id });
    } else if (cluster.enabled === false) {
      found.warn("cluster-disabled", path, `cluster '${shorten(id)}' is disabled: ${consequence}`, { value: id, hint: "disable the route too, or name another cluster" });
    }
  };
  check(route.clusterId, ["ClusterId"], "requests get 503");
  for (const id of Object.keys(route.trafficSplit?.clusters ?? {})) check(id, ["TrafficSplit", "Clusters", id], "its share of the requests goes to the others");
  check(route.mirror?.clusterId, ["Mirror", "ClusterId"], "nothing is mirrored");
  return found.issues;
}

async function checkRoute(route: RouteConfig, policies: PolicyNames, validators: readonly ConfigValidator[]): Promise<readonly ConfigIssue[]> {
  const issues = [...validateRoute(route, policies)];
  if (route.match === undefined || route.match === null) return issues;
  for (const validator of validators) {
    if (validator.validateRoute === undefined) continue;
    issues.push(...(await guarded(validator, { kind: "route", id: route.routeId }, () => validator.validateRoute?.(route) ?? [])));
  }
  return issues;
}

async function checkCluster(cluster: ClusterConfig, policies: PolicyNames, validators: readonly ConfigValidator[]): Promise<readonly ConfigIssue[]> {
  const issues = [...validateCluster(cluster, policies)];
  for (const validator of validators) {
    if (validator.validateCluster === undefined) continue;
    issues.push(...(await guarded(validator, { kind: "cluster", id: cluster.clusterId }, () => validator.validateCluster?.(cluster) ?? [])));
  }
  return issues;
}

async function filterCluster(cluster: ClusterConfig, filters: readonly ConfigFilter[], issues: ConfigIssue[]): Promise<ClusterConfig | undefined> {
  let current = cluster;
  for (const filter of filters) {
    if (filter.cluster === undefined) continue;
    try {
      current = await filter.cluster(current);
    } catch (error) {
      issues.push(...filterFailed("cluster", cluster.clusterId, filter, error));
      return undefined;
    }
  }
  return current;
}

async function filterRoute(
  route: RouteConfig,
  cluster: ClusterConfig | undefined,
  filters: readonly ConfigFilter[],
  issues: ConfigIssue[],
): Promise<RouteConfig | undefined> {
  let current = route;
  for (const filter of filters) {
    if (filter.route === undefined) continue;
    try {
      current = await filter.route(current, cluster);
    } catch (error) {
      issues.push(...filterFailed("route", route.routeId, filter, error));
      return undefined;
    }
  }
  return current;
}

function filterFailed(kind: "route" | "cluster", id: string, filter: ConfigFilter, error: unknown): readonly ConfigIssue[] {
  const found = new IssueCollector(kind, id);
  found.error("filter-failed", [], `the filter '${shorten(filter.name)}' failed: ${shorten(textOf(error))}`);
  return found.issues;
}

async function guarded(
  validator: ConfigValidator,
  entity: ConfigIssue["entity"],
  run: () => Iterable<ConfigIssue> | Promise<Iterable<ConfigIssue>>,
): Promise<Iterable<ConfigIssue>> {
  try {
    const result = run();
    // Most validators are synchronous; thousands of routes need no thousands of turns.
    return result instanceof Promise ? await result : result;
  } catch (error) {
    return [{ code: "validator-failed", severity: "error", message: `the validator '${shorten(validator.name)}' failed: ${shorten(textOf(error))}`, entity, path: [] }];
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
