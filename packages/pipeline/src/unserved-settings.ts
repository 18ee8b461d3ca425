/**
 * Settings that the model knows and no step or client here acts on. What would be silently missing is said at load: as an
 * error where leaving it out opens a door, as a warning otherwise.
 */
import {
  metadataValue,
  policySections,
  routePolicies,
  type ClusterConfig,
  type ConfigIssue,
  type DefinedPolicyKind,
  type DestinationConfig,
  type KnownPolicies,
  type ProxyConfig,
  type RouteConfig,
} from "@proxy/config";
import type { RequestDelegator } from "./request-delegator.ts";

/** What there is to serve the settings of routes. */
export interface ServedSettings {
  /** Those that the application's own steps carry out. */
  readonly policies: KnownPolicies;
  /** Whether the step `timeout` is part of the proxy. */
  readonly timeouts: boolean;
  /** What hands requests over; undefined: nothing does. */
  readonly delegator?: RequestDelegator | undefined;
  /** The steps of the proxy by name; undefined: the default ones. */
  readonly steps?: ReadonlySet<string> | undefined;
}

/** Sections of a route with the steps that carry them out. */
const stepsOfSections = [
  ["trafficSplit", "TrafficSplit", "traffic-split"],
  ["mirror", "Mirror", "mirror"],
  ["retry", "Retry", "retry"],
] as const;

export function unservedByRoute(route: RouteConfig, { policies, timeouts, steps }: ServedSettings): readonly ConfigIssue[] {
  const asked = routePolicies(route);
  const entity = { kind: "route", id: route.routeId } as const;
  const issues: ConfigIssue[] = [];
  if (asked.authorization === "default" && policies.authorization === undefined) {
    issues.push({
      code: "authorization-not-served",
      severity: "error",
      message: `route '${route.routeId}' asks for authorization, and nothing here authorizes`,
      hint: "serve it by a step of your own and name its policies, or leave AuthorizationPolicy out",
      entity,
      path: ["AuthorizationPolicy"],
      value: route.authorizationPolicy,
    });
  }
  if (typeof route.timeout === "number" && !timeouts) {
    issues.push({
      code: "timeout-not-served",
      severity: "error",
      message: `route '${route.routeId}' has a Timeout, and the step 'timeout' is not among the steps`,
      hint: "keep the step, or leave Timeout out",
      entity,
      path: ["Timeout"],
      value: String(route.timeout),
    });
  }
  if (asked.cors !== undefined && policies.cors === undefined) {
    issues.push(warning(entity, "CorsPolicy", `CorsPolicy of route '${route.routeId}' has no effect`));
  }
  for (const [member, path, step] of stepsOfSections) {
    if (!route[member] || steps?.has(step) !== false) continue;
    issues.push(warning(entity, path, `${path} of route '${route.routeId}' has no effect: the step '${step}' is not among the steps`));
  }
  return issues;
}

/** Policies that the configuration defines and no step carries out: to leave a limit or a rule out unsaid would open a door. */
export function unservedPolicies({ policies }: ProxyConfig, served: ServedSettings): readonly ConfigIssue[] {
  return Object.entries(policySections).flatMap(([kind, section]): ConfigIssue[] => {
    const isServed = kind === "timeout" ? served.timeouts : served.policies[kind as DefinedPolicyKind] !== undefined;
    if (isServed || (policies?.[kind as DefinedPolicyKind] ?? []).length === 0) return [];
    const hint = kind === "timeout" ? "keep the step 'timeout'" : "give the proxy the extension of @proxy/edge";
    return [{ code: "policies-not-served", severity: "error", message: `nothing here carries out the policies of ${section}`, hint, path: ["Policies", section] }];
  });
}

export function unservedByCluster(cluster: ClusterConfig, { steps, delegator }: ServedSettings): readonly ConfigIssue[] {
  const entity = { kind: "cluster", id: cluster.clusterId } as const;
  const { httpClient, httpRequest } = cluster;
  const lacks = (step: string): boolean => steps?.has(step) === false;
  const unserved: readonly (readonly [path: string, isSet: boolean])[] = [
    ["Retry", Boolean(cluster.retry) && cluster.retry?.enabled !== false && lacks("retry")],
    ["CircuitBreaker", Boolean(cluster.circuitBreaker) && lacks("circuit-breaker")],
    ["OutlierDetection", cluster.outlierDetection?.enabled === true && lacks("passive-health")],
    ["HttpClient.WebProxy.UseDefaultCredentials", httpClient?.webProxy?.useDefaultCredentials === true],
  ];
  const issues: ConfigIssue[] = unserved
    .filter(([, isSet]) => isSet)
    .map(([path]) => warning(entity, path, `${path} of cluster '${cluster.clusterId}' has no effect`));
  if (needsHttp3(httpRequest)) issues.push(noHttp3(entity, cluster));
  for (const [id, destination] of Object.entries(cluster.destinations ?? {})) {
    const fault = delegator === undefined ? noDelegator(destination) : delegator.fault(destination);
    if (fault !== undefined && destination.enabled !== false) issues.push(delegationNotServed(entity, id, fault));
  }
  return issues;
}

/** The metadata that ask for it are known here by name: forwarding instead would be a different service. */
function noDelegator({ metadata }: DestinationConfig): string | undefined {
  for (const key of ["HttpSysDelegationQueue", "DelegationSocket"]) {
    if (metadataValue(metadata, key)) return `asks by ${key} for delegation, and nothing here delegates`;
  }
  return undefined;
}

function delegationNotServed(cluster: NonNullable<ConfigIssue["entity"]>, id: string, fault: string): ConfigIssue {
  return {
    code: "delegation-not-served",
    severity: "error",
    message: `destination '${id}' of cluster '${cluster.id}' ${fault}`,
    hint: "take the metadata out to have requests forwarded to the address",
    entity: cluster,
    path: ["Destinations", id, "Metadata"],
  };
}

function needsHttp3(request: ClusterConfig["httpRequest"]): boolean {
  return request?.version === "3" && (request.versionPolicy ?? "RequestVersionOrLower") !== "RequestVersionOrLower";
}

function noHttp3(entity: NonNullable<ConfigIssue["entity"]>, cluster: ClusterConfig): ConfigIssue {
  return {
    code: "http3-not-served",
    severity: "error",
    message: `cluster '${cluster.clusterId}' asks for HTTP/3 and nothing lower, which is not spoken here`,
    hint: "use Version 2, or VersionPolicy RequestVersionOrLower",
    entity,
    path: ["HttpRequest", "Version"],
    value: "3",
  };
}

function warning(entity: NonNullable<ConfigIssue["entity"]>, path: string, message: string): ConfigIssue {
  return { code: "setting-not-served", severity: "warning", message, entity, path: path.split(".") };
}
