import type { ClusterConfig } from "./cluster-config.ts";
import type { ConfigIssue } from "./config-issue.ts";
import type { PoliciesConfig } from "./policies-config.ts";
import type { RouteConfig } from "./route-config.ts";

/** One complete, decoded configuration of the proxy: what a provider delivers. */
export interface ProxyConfig {
  readonly routes: readonly RouteConfig[];
  readonly clusters: readonly ClusterConfig[];
  /** Extension: policies that routes name. */
  readonly policies?: PoliciesConfig | undefined;
  /** Names this version in logs and events. */
  readonly revisionId: string;
  /** What is doubtful though usable, found while reading: unknown keys. */
  readonly warnings?: readonly ConfigIssue[] | undefined;
}

/** Routes and clusters as people write them in code: keyed by id, durations as milliseconds or text ("15s"). */
export interface ProxyConfigInput {
  readonly routes?: Readonly<Record<string, WithTextDurations<Omit<RouteConfig, "routeId">>>> | undefined;
  readonly clusters?: Readonly<Record<string, WithTextDurations<Omit<ClusterConfig, "clusterId">>>> | undefined;
  readonly policies?: PoliciesConfigInput | undefined;
}

/** Policies as people write them in code: keyed by name. */
export type PoliciesConfigInput = {
  readonly [K in keyof PoliciesConfig]?: Readonly<Record<string, WithTextDurations<Omit<NonNullable<PoliciesConfig[K]>[number], "name">>>> | undefined;
};

/** Members that hold a duration. */
export type DurationKey =
  | "timeout"
  | "expiration"
  | "maxAge"
  | "interval"
  | "reactivationPeriod"
  | "slowStart"
  | "refreshPeriod"
  | "minimumRefreshPeriod"
  | "perTryTimeout"
  | "baseEjectionTime"
  | "maxEjectionTime"
  | "latencyFloor"
  | "pendingTimeout"
  | "retryAfter"
  | "connectTimeout"
  | "queueTimeout"
  | "idleTimeout"
  | "connectionLifetime"
  | "activityTimeout"
  | "requestHeadersTimeout"
  | "keepAliveTimeout"
  | "proxyProtocolTimeout"
  | "gracePeriod"
  | "shutdownTimeout"
  | "window"
  | "duration"
  | "expirationTimeSpan"
  | "lockTimeout"
  | "clockSkew"
  | "cacheDuration"
  | "refreshInterval"
  | "expireTimeSpan"
  | "absoluteLifetime"
  | "remoteAuthenticationTimeout"
  | "refreshBefore";

/** `T` with each duration also as text: a TimeSpan (`00:00:15`) or `500ms`, `15s`, `2m`, `1h`, `1d`. */
export type WithTextDurations<T> = T extends readonly (infer E)[]
  ? readonly WithTextDurations<E>[]
  : T extends object
    ? { [K in keyof T]: K extends DurationKey ? T[K] | string : WithTextDurations<T[K]> }
    : T;

/** Looks `name` up in metadata, ignoring case. */
export function metadataValue(
  metadata: Readonly<Record<string, string>> | undefined,
  name: string,
): string | undefined {
  if (metadata === undefined) return undefined;
  if (Object.hasOwn(metadata, name)) return metadata[name];
  const lower = name.toLowerCase();
  for (const key of Object.keys(metadata)) {
    if (key.toLowerCase() === lower) return metadata[key];
  }
  return undefined;
}
