/**
 * Settings that the model knows and no step or client here acts on. What would be silently missing is said at load: as an
 * error where leaving it out opens a door, as a warning otherwise.
 */
import { routePolicies, type ClusterConfig, type ConfigIssue, type KnownPolicies, type RouteConfig } from "@proxy/config";

/** What there is to serve the settings of routes. */
export interface ServedSettings {
  /** Those that the application's own steps carry out. */
  readonly policies: KnownPolicies;
  /** Whether the step `timeout` is part of the proxy. */
  readonly timeouts: boolean;
}

export function unservedByRoute(route: RouteConfig, { policies, timeouts }: ServedSettings): readonly ConfigIssue[] {
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
  return issues;
}

export function unservedByCluster(cluster: ClusterConfig): readonly ConfigIssue[] {
  const entity = { kind: "cluster", id: cluster.clusterId } as const;
  const { httpClient, httpRequest } = cluster;
  const unserved: readonly (readonly [path: string, isSet: boolean])[] = [
    ["HttpClient.WebProxy.UseDefaultCredentials", httpClient?.webProxy?.useDefaultCredentials === true],
    ["HttpRequest.VersionPolicy", needsOtherVersion(httpRequest)],
  ];
  return unserved
    .filter(([, isSet]) => isSet)
    .map(([path]) => warning(entity, path, `${path} of cluster '${cluster.clusterId}' has no effect yet`));
}

/** Destinations are spoken to in HTTP/1.1. */
function needsOtherVersion(request: ClusterConfig["httpRequest"]): boolean {
  const { version = "2", versionPolicy = "RequestVersionOrLower" } = request ?? {};
  if (versionPolicy === "RequestVersionOrLower") return false;
  return version !== "1.1" && (versionPolicy === "RequestVersionExact" || version !== "1.0");
}

function warning(entity: NonNullable<ConfigIssue["entity"]>, path: string, message: string): ConfigIssue {
  return { code: "setting-not-served", severity: "warning", message, entity, path: path.split(".") };
}
