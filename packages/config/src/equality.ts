/**
 * Whether two configurations mean the same, which decides what a reload rebuilds. Ids, policy names, hosts and methods ignore
 * case, lists are in order, an absent list is not an empty one. Paths and addresses count letter by letter: a change in case
 * takes effect.
 */
import type { CertificateConfig } from "./certificate-config.ts";
import type {
  ActiveHealthCheckConfig,
  ClusterConfig,
  ConsistentHashConfig,
  DestinationConfig,
  DestinationResolverConfig,
  HealthCheckConfig,
  HttpClientConfig,
  HttpRequestConfig,
  PassiveHealthCheckConfig,
  SessionAffinityConfig,
  SessionAffinityCookieConfig,
  WebProxyConfig,
} from "./cluster-config.ts";
import type { ErrorPageConfig } from "./error-page-config.ts";
import type { RetryBudgetConfig, RetryConfig } from "./retry-config.ts";
import type { MirrorConfig, TrafficSplitConfig, TrafficSplitStickyConfig } from "./traffic-config.ts";
import type { RedirectAction, RespondAction, RouteConfig, RouteHeader, RouteMatch, RouteQueryParameter } from "./route-config.ts";

type Maybe<T> = T | null | undefined;
type Equal<T> = (a: T, b: T) => boolean;

function same(a: unknown, b: unknown): boolean {
  return (a ?? undefined) === (b ?? undefined);
}

function sameText(a: Maybe<string>, b: Maybe<string>): boolean {
  return same(a?.toLowerCase(), b?.toLowerCase());
}

function sameSection<T extends object>(a: Maybe<T>, b: Maybe<T>, equal: Equal<T>): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return same(a, b);
  return a === b || equal(a, b);
}

function sameList<T>(a: Maybe<readonly T[]>, b: Maybe<readonly T[]>, equal: Equal<T>): boolean {
  return sameSection(a, b, (a, b) => a.length === b.length && a.every((item, index) => equal(item, b[index] as T)));
}

/** Records with keys that ignore case. */
function sameRecord<T>(a: Maybe<Readonly<Record<string, T>>>, b: Maybe<Readonly<Record<string, T>>>, equal: Equal<T>): boolean {
  return sameSection(a, b, (a, b) => {
    const entries = new Map(Object.entries(a).map(([key, value]) => [key.toLowerCase(), value]));
    const others = Object.entries(b);
    return (
      entries.size === others.length &&
      others.every(([key, value]) => {
        const lower = key.toLowerCase();
        return entries.has(lower) && equal(entries.get(lower) as T, value);
      })
    );
  });
}

/** Whether a route need not be rebuilt; its cluster is not looked at. */
export function routeEquals(a: RouteConfig, b: RouteConfig): boolean {
  return (
    sameText(a.routeId, b.routeId) &&
    sameEnabled(a, b) &&
    (a.order ?? 0) === (b.order ?? 0) &&
    sameText(a.clusterId, b.clusterId) &&
    sameText(a.authorizationPolicy, b.authorizationPolicy) &&
    sameText(a.rateLimiterPolicy, b.rateLimiterPolicy) &&
    sameText(a.outputCachePolicy, b.outputCachePolicy) &&
    sameText(a.timeoutPolicy, b.timeoutPolicy) &&
    same(a.timeout, b.timeout) &&
    sameText(a.corsPolicy, b.corsPolicy) &&
    sameText(a.accessPolicy, b.accessPolicy) &&
    sameText(a.compressionPolicy, b.compressionPolicy) &&
    sameText(a.staticFilesPolicy, b.staticFilesPolicy) &&
    same(a.maxRequestBodySize, b.maxRequestBodySize) &&
    sameSection(a.match, b.match, routeMatchEquals) &&
    sameRecord(a.metadata, b.metadata, same) &&
    sameList(a.transforms, b.transforms, (a, b) => sameRecord(a, b, same)) &&
    sameSection(a.trafficSplit, b.trafficSplit, trafficSplitEquals) &&
    sameSection(a.retry, b.retry, retryEquals) &&
    sameSection(a.mirror, b.mirror, mirrorEquals) &&
    sameList(a.errorPages, b.errorPages, errorPageEquals) &&
    sameSection(a.respond, b.respond, respondEquals) &&
    sameSection(a.redirect, b.redirect, redirectEquals)
  );
}

export function routeMatchEquals(a: RouteMatch, b: RouteMatch): boolean {
  return (
    same(a.path, b.path) &&
    sameList(a.hosts, b.hosts, sameText) &&
    sameList(a.methods, b.methods, sameText) &&
    sameList(a.headers, b.headers, routeHeaderEquals) &&
    sameList(a.queryParameters, b.queryParameters, routeQueryParameterEquals)
  );
}

export function routeHeaderEquals(a: RouteHeader, b: RouteHeader): boolean {
  const caseSensitive = a.isCaseSensitive ?? false;
  return (
    sameText(a.name, b.name) &&
    (a.mode ?? "ExactHeader") === (b.mode ?? "ExactHeader") &&
    caseSensitive === (b.isCaseSensitive ?? false) &&
    sameList(a.values, b.values, caseSensitive ? same : sameText)
  );
}

export function routeQueryParameterEquals(a: RouteQueryParameter, b: RouteQueryParameter): boolean {
  const caseSensitive = a.isCaseSensitive ?? false;
  return (
    sameText(a.name, b.name) &&
    (a.mode ?? "Exact") === (b.mode ?? "Exact") &&
    caseSensitive === (b.isCaseSensitive ?? false) &&
    sameList(a.values, b.values, caseSensitive ? same : sameText)
  );
}

function respondEquals(a: RespondAction, b: RespondAction): boolean {
  return same(a.statusCode, b.statusCode) && same(a.body, b.body) && same(a.bodyFile, b.bodyFile) && sameRecord(a.headers, b.headers, same);
}

function errorPageEquals(a: ErrorPageConfig, b: ErrorPageConfig): boolean {
  return (
    same(a.status, b.status) &&
    same(a.body, b.body) &&
    same(a.bodyFile, b.bodyFile) &&
    same(a.contentType, b.contentType) &&
    (a.intercept ?? false) === (b.intercept ?? false)
  );
}

function redirectEquals(a: RedirectAction, b: RedirectAction): boolean {
  return same(a.statusCode, b.statusCode) && same(a.location, b.location);
}

function trafficSplitEquals(a: TrafficSplitConfig, b: TrafficSplitConfig): boolean {
  return (
    sameRecord(a.clusters, b.clusters, same) &&
    // Their order decides which values of a header change places when weights change.
    sameList(Object.keys(a.clusters ?? {}), Object.keys(b.clusters ?? {}), sameText) &&
    sameSection(a.sticky, b.sticky, stickyEquals) &&
    sameText(a.overrideHeader, b.overrideHeader)
  );
}

function stickyEquals(a: TrafficSplitStickyConfig, b: TrafficSplitStickyConfig): boolean {
  return same(a.on, b.on) && same(a.name, b.name) && sameSection(a.cookie, b.cookie, sessionAffinityCookieEquals);
}

function mirrorEquals(a: MirrorConfig, b: MirrorConfig): boolean {
  return (
    sameText(a.clusterId, b.clusterId) &&
    same(a.percent, b.percent) &&
    same(a.maxBodySize, b.maxBodySize) &&
    same(a.maxConcurrent, b.maxConcurrent) &&
    same(a.timeout, b.timeout)
  );
}

function retryEquals(a: RetryConfig, b: RetryConfig): boolean {
  return (
    sameEnabled(a, b) &&
    same(a.maxAttempts, b.maxAttempts) &&
    sameList(a.on, b.on, same) &&
    sameList(a.statusCodes, b.statusCodes, same) &&
    sameList(a.methods, b.methods, same) &&
    same(a.perTryTimeout, b.perTryTimeout) &&
    same(a.maxBodySize, b.maxBodySize)
  );
}

function retryBudgetEquals(a: RetryBudgetConfig, b: RetryBudgetConfig): boolean {
  return same(a.percent, b.percent) && same(a.minPerSecond, b.minPerSecond);
}

/** Of what is on unless it is said to be off. */
function sameEnabled(a: { readonly enabled?: boolean | undefined }, b: { readonly enabled?: boolean | undefined }): boolean {
  return (a.enabled ?? true) === (b.enabled ?? true);
}

/** Whether everything of a cluster is the same, its destinations included. */
export function clusterEquals(a: ClusterConfig, b: ClusterConfig): boolean {
  return clusterSettingsEqual(a, b) && sameRecord(a.destinations, b.destinations, destinationEquals);
}

/** Like `clusterEquals` without the destinations: routes of the cluster need no rebuild while this holds. */
export function clusterSettingsEqual(a: ClusterConfig, b: ClusterConfig): boolean {
  return (
    sameText(a.clusterId, b.clusterId) &&
    sameEnabled(a, b) &&
    sameText(a.loadBalancingPolicy, b.loadBalancingPolicy) &&
    sameSection(a.consistentHash, b.consistentHash, consistentHashEquals) &&
    sameSection(a.sessionAffinity, b.sessionAffinity, sessionAffinityEquals) &&
    sameSection(a.healthCheck, b.healthCheck, healthCheckEquals) &&
    same(a.slowStart, b.slowStart) &&
    sameSection(a.destinationResolver, b.destinationResolver, destinationResolverEquals) &&
    sameSection(a.retry, b.retry, retryEquals) &&
    sameSection(a.retryBudget, b.retryBudget, retryBudgetEquals) &&
    sameSection(a.outlierDetection, b.outlierDetection, sameMembers) &&
    sameSection(a.circuitBreaker, b.circuitBreaker, sameMembers) &&
    sameSection(a.httpClient, b.httpClient, httpClientEquals) &&
    sameSection(a.httpRequest, b.httpRequest, httpRequestEquals) &&
    sameRecord(a.metadata, b.metadata, same)
  );
}

/** Of sections that hold nothing but numbers and booleans. */
function sameMembers<T extends object>(a: T, b: T): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T>;
  return [...keys].every((key) => same(a[key], b[key]));
}

function consistentHashEquals(a: ConsistentHashConfig, b: ConsistentHashConfig): boolean {
  return same(a.on, b.on) && same(a.name, b.name) && same(a.maxLoadPercent, b.maxLoadPercent);
}

function destinationResolverEquals(a: DestinationResolverConfig, b: DestinationResolverConfig): boolean {
  return (
    same(a.kind, b.kind) &&
    same(a.refreshPeriod, b.refreshPeriod) &&
    same(a.minimumRefreshPeriod, b.minimumRefreshPeriod) &&
    same(a.addressFamily, b.addressFamily) &&
    sameList(a.nameServers, b.nameServers, same)
  );
}

export function destinationEquals(a: DestinationConfig, b: DestinationConfig): boolean {
  return (
    same(a.address, b.address) &&
    sameEnabled(a, b) &&
    same(a.health, b.health) &&
    sameText(a.host, b.host) &&
    sameText(a.serverName, b.serverName) &&
    same(a.weight, b.weight) &&
    same(a.priority, b.priority) &&
    sameRecord(a.metadata, b.metadata, same)
  );
}

export function sessionAffinityEquals(a: SessionAffinityConfig, b: SessionAffinityConfig): boolean {
  return (
    same(a.enabled, b.enabled) &&
    sameText(a.policy, b.policy) &&
    sameText(a.failurePolicy, b.failurePolicy) &&
    same(a.affinityKeyName, b.affinityKeyName) &&
    sameSection(a.cookie, b.cookie, sessionAffinityCookieEquals)
  );
}

export function sessionAffinityCookieEquals(a: SessionAffinityCookieConfig, b: SessionAffinityCookieConfig): boolean {
  return (
    same(a.path, b.path) &&
    sameText(a.domain, b.domain) &&
    same(a.httpOnly, b.httpOnly) &&
    same(a.securePolicy, b.securePolicy) &&
    same(a.sameSite, b.sameSite) &&
    same(a.expiration, b.expiration) &&
    same(a.maxAge, b.maxAge) &&
    same(a.isEssential, b.isEssential)
  );
}

export function healthCheckEquals(a: HealthCheckConfig, b: HealthCheckConfig): boolean {
  return (
    sameText(a.availableDestinationsPolicy, b.availableDestinationsPolicy) &&
    sameSection(a.active, b.active, activeHealthCheckEquals) &&
    sameSection(a.passive, b.passive, passiveHealthCheckEquals)
  );
}

export function activeHealthCheckEquals(a: ActiveHealthCheckConfig, b: ActiveHealthCheckConfig): boolean {
  return (
    same(a.enabled, b.enabled) &&
    same(a.interval, b.interval) &&
    same(a.timeout, b.timeout) &&
    sameText(a.policy, b.policy) &&
    same(a.path, b.path) &&
    same(a.query, b.query)
  );
}

export function passiveHealthCheckEquals(a: PassiveHealthCheckConfig, b: PassiveHealthCheckConfig): boolean {
  return same(a.enabled, b.enabled) && sameText(a.policy, b.policy) && same(a.reactivationPeriod, b.reactivationPeriod);
}

/** Whether a cluster's connections can be kept: an absent section is given as `{}`. */
export function httpClientEquals(a: HttpClientConfig, b: HttpClientConfig): boolean {
  return (
    sameSet(a.sslProtocols, b.sslProtocols) &&
    same(a.dangerousAcceptAnyServerCertificate, b.dangerousAcceptAnyServerCertificate) &&
    same(a.maxConnectionsPerServer, b.maxConnectionsPerServer) &&
    same(a.enableMultipleHttp2Connections, b.enableMultipleHttp2Connections) &&
    sameText(a.requestHeaderEncoding, b.requestHeaderEncoding) &&
    sameText(a.responseHeaderEncoding, b.responseHeaderEncoding) &&
    same(a.certificateAuthorities, b.certificateAuthorities) &&
    sameSection(a.clientCertificate, b.clientCertificate, certificateEquals) &&
    sameText(a.serverName, b.serverName) &&
    same(a.connectTimeout, b.connectTimeout) &&
    same(a.maxQueuedRequests, b.maxQueuedRequests) &&
    same(a.queueTimeout, b.queueTimeout) &&
    same(a.idleTimeout, b.idleTimeout) &&
    same(a.connectionLifetime, b.connectionLifetime) &&
    same(a.prewarm, b.prewarm) &&
    same(a.localAddress, b.localAddress) &&
    sameSection(a.webProxy, b.webProxy, webProxyEquals)
  );
}

/** TLS versions are flags: their order says nothing. */
function sameSet(a: Maybe<readonly string[]>, b: Maybe<readonly string[]>): boolean {
  const first = new Set(a);
  const second = new Set(b);
  return first.size === second.size && [...first].every((item) => second.has(item));
}

function certificateEquals(a: CertificateConfig, b: CertificateConfig): boolean {
  return same(a.path, b.path) && same(a.keyPath, b.keyPath) && same(a.password, b.password);
}

function webProxyEquals(a: WebProxyConfig, b: WebProxyConfig): boolean {
  return same(a.address, b.address) && same(a.bypassOnLocal, b.bypassOnLocal) && same(a.useDefaultCredentials, b.useDefaultCredentials);
}

export function httpRequestEquals(a: HttpRequestConfig, b: HttpRequestConfig): boolean {
  return (
    same(a.activityTimeout, b.activityTimeout) &&
    same(a.version, b.version) &&
    same(a.versionPolicy, b.versionPolicy) &&
    same(a.allowResponseBuffering, b.allowResponseBuffering)
  );
}
