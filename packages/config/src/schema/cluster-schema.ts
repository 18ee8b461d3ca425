import * as Schema from "effect/Schema";
import { Certificate } from "./certificate-schema.ts";
import { field, record } from "./field.ts";
import { Retry, RetryBudget } from "./retry-schema.ts";
import { AbsoluteUrl, Bool, Duration, HttpVersion, Integer, OneOf, SslProtocolName, Text } from "./scalars.ts";

const Destination = Schema.Struct({
  address: field(Text, "URL prefix: scheme, host, optional port and base path. Required."),
  enabled: field(Bool, "False takes the destination out as if it were not there; requests under way finish.", { default: true, extension: true }),
  health: field(Text, "Base of health probes.", { defaultText: "`Address`" }),
  host: field(Text, "Host header of requests and probes, where no transform sets one.", { defaultText: "the authority of `Address`" }),
  serverName: field(Text, "Name for SNI and certificate check, where `HttpClient` has none.", {
    defaultText: "the name in `Host`, then that in `Address`",
    extension: true,
  }),
  weight: field(Integer(0, 1000), "Share of the requests, relative to the other destinations: 0 to 1000, 0 is none.", { default: 1, extension: true }),
  priority: field(Integer(), "Destinations with the lowest number get the requests, the others only while none of them is available.", {
    default: 0,
    extension: true,
  }),
  metadata: field(record(Text, "name"), "Free text by name, ignoring case."),
});

/** Attributes of a cookie of the gateway's. */
export const AffinityCookie = Schema.Struct({
  path: field(Text, "Path of the cookie.", { default: "/" }),
  domain: field(Text, "Domain of the cookie."),
  httpOnly: field(Bool, "Whether scripts cannot read it.", { default: true }),
  securePolicy: field(OneOf(["SameAsRequest", "Always", "None"]), "When the cookie is marked Secure. `SameAsRequest`: where the client came by https, also by what `TrustedProxies` say.", { default: "None" }),
  sameSite: field(OneOf(["Unspecified", "None", "Lax", "Strict"], [-1, 0, 1, 2]), "SameSite attribute; `Unspecified` leaves it out.", {
    default: "Unspecified",
  }),
  expiration: field(Duration, "From now to the Expires attribute, above 0."),
  maxAge: field(Duration, "Max-Age attribute, above 0."),
  isEssential: field(Bool, "Whether consent checks of the application are bypassed.", { default: false }),
});

const SessionAffinity = Schema.Struct({
  enabled: field(Bool, "Nothing else of this section is checked while false.", { default: false }),
  policy: field(Text, "`HashCookie`, `ArrCookie`, `Cookie`, `CustomHeader`, or a registered one.", { default: "HashCookie" }),
  failurePolicy: field(Text, "`Redistribute`, `Return503Error`, or a registered one.", { default: "Redistribute" }),
  affinityKeyName: field(Text, "Name of the cookie or header. Required when enabled."),
  cookie: field(AffinityCookie, "Attributes of the cookie."),
});

const ConsistentHash = Schema.Struct({
  on: field(OneOf(["ClientAddress", "Header", "Cookie", "Query", "RouteValue"]), "What of a request decides where it goes.", { default: "ClientAddress" }),
  name: field(Text, "Name of the header, cookie, query parameter or route value. Required for these."),
  maxLoadPercent: field(
    Integer(0),
    "Requests under way at a destination, in percent of its share, above which others help out: above 100, or 0 for no bound.",
    { default: 125 },
  ),
});

const HealthCheck = Schema.Struct({
  active: field(
    Schema.Struct({
      enabled: field(Bool, "Whether destinations are probed.", { default: false }),
      interval: field(Duration, "Between rounds, above 0.", { default: "00:00:15" }),
      timeout: field(Duration, "For one probe, above 0.", { default: "00:00:10" }),
      policy: field(Text, "`ConsecutiveFailures` or a registered one.", { default: "ConsecutiveFailures" }),
      path: field(Text, "Path of the probe, below the destination's health address."),
      query: field(Text, "Query of the probe with its `?`."),
    }),
    "Probes.",
  ),
  passive: field(
    Schema.Struct({
      enabled: field(Bool, "Whether the outcome of requests counts.", { default: false }),
      policy: field(Text, "`TransportFailureRate` or a registered one.", { default: "TransportFailureRate" }),
      reactivationPeriod: field(Duration, "Until an unhealthy destination is tried again, above 0.", { default: "00:01:00" }),
    }),
    "Judgement by the outcome of requests.",
  ),
  availableDestinationsPolicy: field(Text, "`HealthyOrPanic`, `HealthyAndUnknown`, or a registered one.", { default: "HealthyOrPanic" }),
});

const DestinationResolver = Schema.Struct({
  kind: field(OneOf(["None", "Dns"]), "`Dns` makes one destination of each address of a host: A and AAAA records, SRV records (names and ports) of hosts that begin with `_`.", {
    default: "None",
  }),
  refreshPeriod: field(Duration, "After which hosts are asked for again, sooner where their records live shorter. Above 0.", { default: "00:05:00" }),
  minimumRefreshPeriod: field(Duration, "For which an answer is used at least, however short-lived its records. Above 0.", { default: "00:00:05" }),
  addressFamily: field(OneOf(["Any", "IPv4", "IPv6"]), "Which addresses are taken.", { default: "Any" }),
  nameServers: field(Schema.Array(Text), "Name servers to ask: IP addresses with an optional port.", {
    defaultText: "as the machine resolves names, hosts file included; that tells no lifetimes of records",
  }),
});

const OutlierDetection = Schema.Struct({
  enabled: field(Bool, "Whether destinations that stand out from their peers are ejected.", { default: false }),
  consecutive5xx: field(Integer(0), "Failures in a row (an answer of 500 to 599, or none) until a destination is ejected; 0 turns it off.", { default: 5 }),
  consecutiveGatewayFailure: field(Integer(0), "The same of gateway failures alone: 502, 503, 504, or no answer; 0 turns it off.", { default: 0 }),
  interval: field(Duration, "Time over which success rate and latency are compared, above 0.", { default: "00:00:10" }),
  baseEjectionTime: field(Duration, "How long the first ejection takes, above 0; the second in short order takes twice as long, and so on.", {
    default: "00:00:30",
  }),
  maxEjectionTime: field(Duration, "How long an ejection takes at most, above 0.", { default: "00:05:00" }),
  maxEjectionPercent: field(
    Integer(0, 100),
    "Share of the destinations that may be ejected at a time; but one of several may always be, unless it is 0.",
    { default: 10 },
  ),
  successRateStdevFactor: field(
    Integer(0),
    "Standard deviations, in thousandths, that a success rate may lie below the mean of all; 0 turns it off.",
    { default: 1900 },
  ),
  successRateMinimumHosts: field(Integer(2), "Destinations with enough requests that it takes to compare success rates.", { default: 5 }),
  successRateRequestVolume: field(Integer(1), "Requests in an interval that are enough.", { default: 100 }),
  latencyPercent: field(
    Integer(0),
    "Mean latency that a destination may have, in percent of the median of its peers', above 100; 0 turns it off.",
    { default: 0 },
  ),
  latencyMinimumHosts: field(Integer(2), "Destinations with enough requests that it takes to compare latencies.", { default: 3 }),
  latencyRequestVolume: field(Integer(1), "Requests in an interval that are enough.", { default: 20 }),
  latencyFloor: field(Duration, "Mean latency up to which nobody is ejected for it.", { default: "00:00:00.1" }),
});

const CircuitBreaker = Schema.Struct({
  maxRequests: field(Integer(1), "Requests to the cluster under way at a time, upgraded connections included.", { defaultText: "unlimited" }),
  maxRequestsPerDestination: field(Integer(1), "Requests to each destination under way at a time.", { defaultText: "unlimited" }),
  maxPendingRequests: field(Integer(0), "Requests that may wait for one of these to end; one too many gets 503 with Retry-After at once.", {
    default: 0,
  }),
  pendingTimeout: field(Duration, "How long a request waits, above 0; then it gets 503 with Retry-After.", { default: "00:00:01" }),
  retryAfter: field(Duration, "After which a refused client may try again; told in whole seconds, rounded up.", { default: "00:00:01" }),
});

const HttpClient = Schema.Struct({
  sslProtocols: field(
    Schema.Array(SslProtocolName),
    "TLS versions that may be used; several in one text are separated by commas.",
    { defaultText: "Tls12, Tls13" },
  ),
  dangerousAcceptAnyServerCertificate: field(Bool, "Turns the validation of the destination's certificate off.", { default: false }),
  maxConnectionsPerServer: field(Integer(), "HTTP/1.1 connections per destination, above 0.", { defaultText: "unlimited" }),
  enableMultipleHttp2Connections: field(Bool, "Further HTTP/2 connections when the first one has no streams left.", { default: true }),
  requestHeaderEncoding: field(
    Text,
    "What request header values are at destinations: `utf-8` (what is not is taken for `iso-8859-1` and converted, and transforms may set any text), `us-ascii` (a request with anything else gets 502) or `iso-8859-1`.",
    { defaultText: "bytes pass unchanged" },
  ),
  responseHeaderEncoding: field(Text, "What response header values have to be: `utf-8` or `us-ascii` (a response with anything else becomes 502) or `iso-8859-1`.", { defaultText: "bytes pass unchanged" }),
  webProxy: field(
    Schema.Struct({
      address: field(AbsoluteUrl, "`http://host:port` of the outbound proxy. A user name and password in it are sent to the proxy, and never logged."),
      bypassOnLocal: field(Bool, "Whether destinations on this machine, or with a name without dots, are reached directly.", { default: false }),
      useDefaultCredentials: field(Bool, "Has no effect, and is warned of: put credentials into `Address`.", { default: false }),
    }),
    "Outbound web proxy.",
    { defaultText: "none" },
  ),
  certificateAuthorities: field(Text, "File of the authorities (PEM) that vouch for destinations. Relative to this file. Read again when it changes.", {
    defaultText: "those that Node knows",
    extension: true,
  }),
  clientCertificate: field(Certificate, "What the gateway shows of itself to destinations that ask for it. Read again when a file changes.", {
    defaultText: "none",
    extension: true,
  }),
  serverName: field(Text, "Name for SNI and certificate check, for all destinations.", { defaultText: "that of the destination", extension: true }),
  connectTimeout: field(Duration, "For opening a connection, above 0.", { default: "00:00:15", extension: true }),
  maxQueuedRequests: field(
    Integer(0),
    "Requests per destination that may wait when `MaxConnectionsPerServer` connections are busy; one too many gets 503 at once.",
    { default: 10_000, extension: true },
  ),
  queueTimeout: field(Duration, "For waiting for a connection, above 0; then the request gets 504.", {
    defaultText: "none: the activity timeout ends it",
    extension: true,
  }),
  idleTimeout: field(Duration, "For which an idle connection is kept, above 0.", { default: "00:01:00", extension: true }),
  connectionLifetime: field(Duration, "After which a connection is not used for another request, above 0.", {
    defaultText: "unlimited",
    extension: true,
  }),
  prewarm: field(Integer(0, 1000), "Connections opened when a destination is first used, ahead of requests: 0 to 1000.", {
    default: 0,
    extension: true,
  }),
  localAddress: field(Text, "The address of this machine that connections are made from.", { defaultText: "the system's choice", extension: true }),
});

const HttpRequest = Schema.Struct({
  activityTimeout: field(Duration, "Without any byte moved in either direction.", { default: "00:01:40" }),
  version: field(HttpVersion, "Preferred HTTP version: 1.0, 1.1, 2 or 3.", { default: "2" }),
  versionPolicy: field(
    OneOf(["RequestVersionOrLower", "RequestVersionOrHigher", "RequestVersionExact"]),
    "What else may be used. `RequestVersionOrLower` over cleartext means HTTP/1.1.",
    { default: "RequestVersionOrLower" },
  ),
  allowResponseBuffering: field(Bool, "Whether the listening side may hold a response back. Nothing here does, whatever this says.", { default: false }),
});

export const ClusterSection = Schema.Struct({
  enabled: field(Bool, "False takes the cluster out as if it were not there: its routes answer 503.", { default: true, extension: true }),
  loadBalancingPolicy: field(Text, "`PowerOfTwoChoices`, `Random`, `RoundRobin`, `LeastRequests`, `FirstAlphabetical`, `ConsistentHash` (extension), or a registered one.", {
    default: "PowerOfTwoChoices",
  }),
  consistentHash: field(ConsistentHash, "What the policy `ConsistentHash` goes by.", { extension: true }),
  sessionAffinity: field(SessionAffinity, "Keeps a client at its destination.", { defaultText: "off" }),
  healthCheck: field(HealthCheck, "Which destinations get requests.", { defaultText: "off" }),
  slowStart: field(Duration, "In which a destination that becomes available comes to its full share of requests, above 0.", {
    defaultText: "none",
    extension: true,
  }),
  retry: field(Retry, "When requests are tried again at another destination.", { defaultText: "never", keepsEmpty: true, extension: true }),
  retryBudget: field(RetryBudget, "How many of the requests may be retries.", { extension: true }),
  outlierDetection: field(OutlierDetection, "Takes destinations out for a time that stand out from their peers.", {
    defaultText: "off",
    extension: true,
  }),
  circuitBreaker: field(CircuitBreaker, "How many requests may be under way and wait.", { defaultText: "no limit", extension: true }),
  httpClient: field(HttpClient, "Connections to destinations."),
  httpRequest: field(HttpRequest, "Requests to destinations."),
  destinationResolver: field(DestinationResolver, "What the destinations stand for: one for each address of their hosts. An answer stays in use while there is no newer one.", {
    defaultText: "what is written",
    extension: true,
  }),
  destinations: field(record(Destination, "id"), "Where requests go, by id, ignoring case. Without any, requests get 503."),
  metadata: field(record(Text, "name"), "Free text by name, ignoring case."),
});
