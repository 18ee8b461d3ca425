/** Clusters: where requests go and how a destination is chosen. Names and defaults are YARP's unless marked. */
import type { CertificateConfig } from "./certificate-config.ts";
import type { RetryBudgetConfig, RetryConfig } from "./retry-config.ts";

export interface ClusterConfig {
  /** Unique among clusters, ignoring case. */
  readonly clusterId: string;
  /** Extension: false takes the cluster out as if it were not there: its routes answer 503. Its faults are still reported. Default true. */
  readonly enabled?: boolean | undefined;
  /** Default `PowerOfTwoChoices`. Others built in: Random, RoundRobin, LeastRequests, FirstAlphabetical, and (extension) ConsistentHash. */
  readonly loadBalancingPolicy?: string | undefined;
  /** Extension: what the policy `ConsistentHash` goes by. */
  readonly consistentHash?: ConsistentHashConfig | undefined;
  readonly sessionAffinity?: SessionAffinityConfig | undefined;
  readonly healthCheck?: HealthCheckConfig | undefined;
  /** Extension: milliseconds in which a destination that becomes available comes to its full share. Default none. */
  readonly slowStart?: number | undefined;
  /** Extension: when requests are tried again at another destination. Default never. */
  readonly retry?: RetryConfig | undefined;
  /** Extension: how many of the requests may be retries, of whatever route. */
  readonly retryBudget?: RetryBudgetConfig | undefined;
  /** Extension: takes destinations out for a time that stand out from their peers. Default off. */
  readonly outlierDetection?: OutlierDetectionConfig | undefined;
  /** Extension: how many requests may be under way and wait. Default no limit. */
  readonly circuitBreaker?: CircuitBreakerConfig | undefined;
  readonly httpClient?: HttpClientConfig | undefined;
  readonly httpRequest?: HttpRequestConfig | undefined;
  /** Extension: what the destinations stand for. Default: what is written. */
  readonly destinationResolver?: DestinationResolverConfig | undefined;
  /** By id, unique ignoring case. None is legal: requests get 503. */
  readonly destinations?: Readonly<Record<string, DestinationConfig>> | undefined;
  /** Free text by name; names ignore case (see `metadataValue`). */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** How hosts of destinations become those that requests are sent to, one destination per address. */
export interface DestinationResolverConfig {
  /** `Dns` asks for A and AAAA records, and for SRV records of hosts that begin with `_`. Default `None`. */
  readonly kind?: "None" | "Dns" | undefined;
  /** Milliseconds after which hosts are asked for again, sooner where their records say so. Default 300 000. */
  readonly refreshPeriod?: number | undefined;
  /** Milliseconds that any answer is used, however short-lived its records. Default 5000. */
  readonly minimumRefreshPeriod?: number | undefined;
  /** Default `Any`. */
  readonly addressFamily?: "Any" | "IPv4" | "IPv6" | undefined;
  /** Name servers to ask, IP addresses with an optional port. Default: as the machine resolves names, hosts file included, which tells no lifetimes. */
  readonly nameServers?: readonly string[] | undefined;
}

export interface ConsistentHashConfig {
  /** What of a request decides where it goes. Default `ClientAddress`. */
  readonly on?: "ClientAddress" | "Header" | "Cookie" | "Query" | "RouteValue" | undefined;
  /** Name of the header, cookie, query parameter or route value; required for these. */
  readonly name?: string | undefined;
  /** Requests under way at a destination, in percent of its share, above which others help out: 101 or more, 0 is no bound. Default 125. */
  readonly maxLoadPercent?: number | undefined;
}

export interface DestinationConfig {
  /** URL prefix: scheme, host, optional port and base path; no query. */
  readonly address: string;
  /** Extension: false takes the destination out as if it were not there. Default true. */
  readonly enabled?: boolean | undefined;
  /** Base of health probes. Default: `address`. */
  readonly health?: string | undefined;
  /** Host header of requests and probes, where no transform sets one. Default: the authority of `address`. */
  readonly host?: string | undefined;
  /** Extension: name for SNI and certificate check, where `HttpClient` has none. Default: the name in `host`, then that in `address`. */
  readonly serverName?: string | undefined;
  /** Extension: share of the requests, relative to the other destinations; 0 to 1000, 0 is none. Default 1. */
  readonly weight?: number | undefined;
  /** Extension: those with the lowest number get the requests, the others only while none of them is available. Default 0. */
  readonly priority?: number | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface SessionAffinityConfig {
  /** Default false; nothing else is validated while false. */
  readonly enabled?: boolean | undefined;
  /** HashCookie (default), ArrCookie, Cookie, CustomHeader, or a registered one. */
  readonly policy?: string | undefined;
  /** Redistribute (default), Return503Error, or a registered one. */
  readonly failurePolicy?: string | undefined;
  /** Name of the cookie or header; required when enabled. */
  readonly affinityKeyName: string;
  readonly cookie?: SessionAffinityCookieConfig | undefined;
}

export interface SessionAffinityCookieConfig {
  /** Default `/`. */
  readonly path?: string | undefined;
  readonly domain?: string | undefined;
  /** Default true. */
  readonly httpOnly?: boolean | undefined;
  /** Default `None`. */
  readonly securePolicy?: "None" | "Always" | "SameAsRequest" | undefined;
  /** Default `Unspecified`: the attribute is left out. */
  readonly sameSite?: "Unspecified" | "None" | "Lax" | "Strict" | undefined;
  /** Milliseconds from now to the Expires attribute. */
  readonly expiration?: number | undefined;
  /** Milliseconds of the Max-Age attribute. */
  readonly maxAge?: number | undefined;
  /** Default false. */
  readonly isEssential?: boolean | undefined;
}

/** Probes (`active`), judgement by the answers to requests (`passive`), and who is available by both. */
export interface HealthCheckConfig {
  readonly active?: ActiveHealthCheckConfig | undefined;
  readonly passive?: PassiveHealthCheckConfig | undefined;
  /** `HealthyOrPanic` (default) or `HealthyAndUnknown`, or a registered one. */
  readonly availableDestinationsPolicy?: string | undefined;
}

export interface ActiveHealthCheckConfig {
  /** Default false. */
  readonly enabled?: boolean | undefined;
  /** Milliseconds between rounds. Default 15 000. */
  readonly interval?: number | undefined;
  /** Milliseconds for one probe. Default 10 000. */
  readonly timeout?: number | undefined;
  /** Default `ConsecutiveFailures`. */
  readonly policy?: string | undefined;
  /** Path of the probe, below the destination's health address. */
  readonly path?: string | undefined;
  /** Query of the probe with its `?`. */
  readonly query?: string | undefined;
}

export interface PassiveHealthCheckConfig {
  /** Default false. */
  readonly enabled?: boolean | undefined;
  /** Default `TransportFailureRate`. */
  readonly policy?: string | undefined;
  /** Milliseconds until an unhealthy destination is tried again. Default 60 000. */
  readonly reactivationPeriod?: number | undefined;
}

/** Extension, in Envoy's terms. Each kind of judgement can be turned off alone. */
export interface OutlierDetectionConfig {
  /** Default false. */
  readonly enabled?: boolean | undefined;
  /** Failures in a row (an answer of 500 to 599, or none) until a destination is ejected; 0 turns it off. Default 5. */
  readonly consecutive5xx?: number | undefined;
  /** The same of gateway failures alone: 502, 503, 504, or no answer. Default 0: off. */
  readonly consecutiveGatewayFailure?: number | undefined;
  /** Milliseconds of requests that success rate and latency are compared over. Default 10 000. */
  readonly interval?: number | undefined;
  /** Milliseconds of the first ejection; the second in short order takes twice as long, and so on. Default 30 000. */
  readonly baseEjectionTime?: number | undefined;
  /** Milliseconds that an ejection takes at most. Default 300 000, or `baseEjectionTime` where that is more. */
  readonly maxEjectionTime?: number | undefined;
  /** Share of the destinations that may be ejected at a time, 0 to 100; but one of several may always be, above 0. Default 10. */
  readonly maxEjectionPercent?: number | undefined;
  /** Standard deviations, in thousandths, that a success rate may lie below the mean of all; 0 turns it off. Default 1900. */
  readonly successRateStdevFactor?: number | undefined;
  /** Destinations with enough requests that it takes to compare success rates; 2 or more. Default 5. */
  readonly successRateMinimumHosts?: number | undefined;
  /** Requests in an interval that are enough. Default 100. */
  readonly successRateRequestVolume?: number | undefined;
  /** Mean latency that a destination may have, in percent of the median of its peers', above 100; 0 turns it off. Default 0. */
  readonly latencyPercent?: number | undefined;
  /** Destinations with enough requests that it takes to compare latencies; 2 or more. Default 3. */
  readonly latencyMinimumHosts?: number | undefined;
  /** Requests in an interval that are enough. Default 20. */
  readonly latencyRequestVolume?: number | undefined;
  /** Milliseconds of mean latency up to which nobody is ejected for it. Default 100. */
  readonly latencyFloor?: number | undefined;
}

/** Extension, in Envoy's terms. A request that finds no room and no place to wait gets 503 with Retry-After at once. */
export interface CircuitBreakerConfig {
  /** Requests to the cluster under way at a time, upgraded connections included; 1 or more. Default unlimited. */
  readonly maxRequests?: number | undefined;
  /** The same of each destination. Default unlimited. */
  readonly maxRequestsPerDestination?: number | undefined;
  /** Requests that may wait for one of these to end. Default 0. */
  readonly maxPendingRequests?: number | undefined;
  /** Milliseconds that a request waits; then it gets 503. Default 1 000. */
  readonly pendingTimeout?: number | undefined;
  /** Milliseconds after which a refused client may try again; told in whole seconds, rounded up. Default 1 000. */
  readonly retryAfter?: number | undefined;
}

/** TLS versions by .NET's names. What is older than TLS 1.2 has to be allowed by Node as well; SSL is never spoken. */
export type SslProtocol = "Ssl2" | "Ssl3" | "Tls" | "Tls11" | "Tls12" | "Tls13";

export interface HttpClientConfig {
  /** Allowed protocol versions. Default: TLS 1.2 and 1.3. */
  readonly sslProtocols?: readonly SslProtocol[] | undefined;
  /** Turns certificate validation off. Default false. */
  readonly dangerousAcceptAnyServerCertificate?: boolean | undefined;
  /** HTTP/1.1 connections per destination, above 0. Default unlimited. */
  readonly maxConnectionsPerServer?: number | undefined;
  /** Default true. */
  readonly enableMultipleHttp2Connections?: boolean | undefined;
  /** `utf-8`, `us-ascii` or `iso-8859-1`: what request header values are at destinations. Default: bytes pass unchanged. */
  readonly requestHeaderEncoding?: string | undefined;
  /** What response header values have to be. Default: bytes pass unchanged. */
  readonly responseHeaderEncoding?: string | undefined;
  readonly webProxy?: WebProxyConfig | undefined;
  /** Extension: file with the authorities (PEM) that vouch for destinations. Default: those that Node knows. */
  readonly certificateAuthorities?: string | undefined;
  /** Extension: what the gateway shows of itself to destinations that ask for it. Default: nothing. */
  readonly clientCertificate?: CertificateConfig | undefined;
  /** Extension: name for SNI and certificate check. Default: that of the destination. */
  readonly serverName?: string | undefined;
  /** Extension: milliseconds to open a connection. Default 15 000. */
  readonly connectTimeout?: number | undefined;
  /**
   * Extension: requests per destination that may wait when `maxConnectionsPerServer` connections are busy; 0 or more. One too
   * many gets 503 at once. Default 10 000.
   */
  readonly maxQueuedRequests?: number | undefined;
  /** Extension: milliseconds that a request may wait for a connection; then it gets 504. Default none: the activity timeout ends it. */
  readonly queueTimeout?: number | undefined;
  /** Extension: milliseconds that an idle connection is kept. Default 60 000. */
  readonly idleTimeout?: number | undefined;
  /** Extension: milliseconds after which a connection is not used for another request. Default unlimited. */
  readonly connectionLifetime?: number | undefined;
  /** Extension: connections opened when a destination is first used, ahead of requests; 0 to 1000. Default 0. */
  readonly prewarm?: number | undefined;
  /** Extension: the address of this machine that connections are made from. Default: the system's choice. */
  readonly localAddress?: string | undefined;
}

export interface WebProxyConfig {
  /** `http://host:port` of the outbound web proxy; a user name and password in it are sent to the proxy. */
  readonly address?: string | undefined;
  /** Whether destinations on this machine, or with a name without dots, are reached directly. Default false. */
  readonly bypassOnLocal?: boolean | undefined;
  /** Has no effect, and is warned of: no identity of the process is sent. */
  readonly useDefaultCredentials?: boolean | undefined;
}

/** Versions of HTTP as configuration writes them. */
export type HttpVersionText = "1.0" | "1.1" | "2" | "3";
/** What may be spoken where a destination does not speak `version`: as .NET's `HttpVersionPolicy`. */
export type VersionPolicy = "RequestVersionOrLower" | "RequestVersionOrHigher" | "RequestVersionExact";

export interface HttpRequestConfig {
  /** Milliseconds without any byte moved in either direction. Default 100 000. */
  readonly activityTimeout?: number | undefined;
  /** Preferred version. Default "2". */
  readonly version?: HttpVersionText | undefined;
  /** Default `RequestVersionOrLower`: over cleartext that means HTTP/1.1. */
  readonly versionPolicy?: VersionPolicy | undefined;
  /** Whether the listening side may hold a response back. Nothing here does. Default false. */
  readonly allowResponseBuffering?: boolean | undefined;
}
