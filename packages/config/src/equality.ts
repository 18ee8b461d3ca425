/**
 * Whether two configurations mean the same, which decides what a reload rebuilds. All members are compared, whatever a later version
 * adds: letter by letter, lists in order, an absent list unlike an empty one, keys of maps ignoring case. The tables below name what
 * is compared in another way: ids, policy names, hosts and methods ignore case; what has a default is the same when the default is written.
 */
import type {
  ActiveHealthCheckConfig,
  ClusterConfig,
  DestinationConfig,
  HealthCheckConfig,
  HttpClientConfig,
  PassiveHealthCheckConfig,
  SessionAffinityConfig,
  SessionAffinityCookieConfig,
} from "./cluster-config.ts";
import type { ErrorPageConfig } from "./error-page-config.ts";
import type { RetryConfig } from "./retry-config.ts";
import type { RouteConfig, RouteMatch } from "./route-config.ts";
import type { MirrorConfig, TrafficSplitConfig, TrafficSplitStickyConfig } from "./traffic-config.ts";

type Maybe<T> = T | null | undefined;
type Equal<T> = (a: Maybe<T>, b: Maybe<T>) => boolean;
type Rules<T> = { readonly [Member in keyof T]?: Equal<NonNullable<T[Member]>> };

function same(a: unknown, b: unknown): boolean {
  return (a ?? undefined) === (b ?? undefined);
}

const text: Equal<string> = (a, b) => same(a?.toLowerCase(), b?.toLowerCase());

/** Of a member that is `value` where it is absent. */
function absentIs<T>(value: T): Equal<T> {
  return (a, b) => (a ?? value) === (b ?? value);
}

function list<T>(equal: Equal<T>): Equal<readonly T[]> {
  return (a, b) => a === b || (a && b ? a.length === b.length && a.every((item, index) => equal(item, b[index])) : same(a, b));
}

/** Keys ignore case. */
function record<T>(equal: Equal<T>): Equal<Readonly<Record<string, T>>> {
  return (a, b) => {
    if (a === b || !a || !b) return same(a, b);
    const entries = new Map(present(a).map(([key, value]) => [key.toLowerCase(), value]));
    const others = present(b);
    return entries.size === others.length && others.every(([key, value]) => equal(entries.get(key.toLowerCase()), value));
  };
}

function present<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).filter(([, value]) => value !== undefined && value !== null);
}

/** What `rules` do not name is compared letter by letter. */
function section<T extends object>(rules: Rules<T>): Equal<T> {
  return (a, b) => {
    if (a === b || !a || !b) return same(a, b);
    const members = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T>;
    for (const member of members) {
      const equal = (rules[member] ?? letters) as Equal<T[keyof T]>;
      if (!equal(a[member], b[member])) return false;
    }
    return true;
  };
}

function letters(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object") return same(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a)) return list(letters)(a, b as readonly unknown[]);
  return record(letters)(a as Maybe<Record<string, unknown>>, b as Maybe<Record<string, unknown>>);
}

/** What rules on headers and on query parameters have in common. */
interface ValueRule {
  readonly name: string;
  readonly values?: readonly string[] | undefined;
  readonly mode?: string | undefined;
  readonly isCaseSensitive?: boolean | undefined;
}

function valueRule(mode: string): Equal<ValueRule> {
  const rules: Rules<ValueRule> = { name: text, mode: absentIs(mode), isCaseSensitive: absentIs(false) };
  const exact = section(rules);
  const anyCase = section<ValueRule>({ ...rules, values: list(text) });
  return (a, b) => (a?.isCaseSensitive === true ? exact : anyCase)(a, b);
}

const routeMatch = section<RouteMatch>({
  hosts: list(text),
  methods: list(text),
  headers: list(valueRule("ExactHeader")),
  queryParameters: list(valueRule("Exact")),
});

const cookie = section<SessionAffinityCookieConfig>({ domain: text });

const trafficSplit = section<TrafficSplitConfig>({
  clusters: (a, b) =>
    // Their order decides which values of a header change places when weights change.
    letters(a, b) && list(text)(Object.keys(a ?? {}), Object.keys(b ?? {})),
  sticky: section<TrafficSplitStickyConfig>({ cookie }),
  overrideHeader: text,
});

const retry = section<RetryConfig>({ enabled: absentIs(true) });

/** Whether a route need not be rebuilt; its cluster is not looked at. */
export const routeEquals: (a: RouteConfig, b: RouteConfig) => boolean = section<RouteConfig>({
  routeId: text,
  enabled: absentIs(true),
  order: absentIs(0),
  clusterId: text,
  match: routeMatch,
  authorizationPolicy: text,
  rateLimiterPolicy: text,
  outputCachePolicy: text,
  timeoutPolicy: text,
  corsPolicy: text,
  accessPolicy: text,
  compressionPolicy: text,
  staticFilesPolicy: text,
  trafficSplit,
  retry,
  mirror: section<MirrorConfig>({ clusterId: text }),
  errorPages: list(section<ErrorPageConfig>({ intercept: absentIs(false) })),
});

const httpClient = section<HttpClientConfig>({
  // TLS versions are flags: their order says nothing.
  sslProtocols: (a, b) => new Set(a).symmetricDifference(new Set(b)).size === 0,
  requestHeaderEncoding: text,
  responseHeaderEncoding: text,
  serverName: text,
});

/** Whether a cluster's connections can be kept: an absent section is given as `{}`. */
export const httpClientEquals: (a: HttpClientConfig, b: HttpClientConfig) => boolean = httpClient;

const destination = section<DestinationConfig>({ enabled: absentIs(true), host: text, serverName: text });

/** Whether a destination is the same, its id aside. */
export const destinationEquals: (a: DestinationConfig, b: DestinationConfig) => boolean = destination;

/** Like `clusterEquals` without the destinations: routes of the cluster need no rebuild while this holds. */
export const clusterSettingsEqual: (a: ClusterConfig, b: ClusterConfig) => boolean = section<ClusterConfig>({
  clusterId: text,
  enabled: absentIs(true),
  loadBalancingPolicy: text,
  sessionAffinity: section<SessionAffinityConfig>({ policy: text, failurePolicy: text, cookie }),
  healthCheck: section<HealthCheckConfig>({
    availableDestinationsPolicy: text,
    active: section<ActiveHealthCheckConfig>({ policy: text }),
    passive: section<PassiveHealthCheckConfig>({ policy: text }),
  }),
  retry,
  httpClient,
  destinations: () => true,
});

const destinationsEqual = record(destination);

/** Whether everything of a cluster is the same, its destinations included. */
export function clusterEquals(a: ClusterConfig, b: ClusterConfig): boolean {
  return clusterSettingsEqual(a, b) && destinationsEqual(a.destinations, b.destinations);
}
