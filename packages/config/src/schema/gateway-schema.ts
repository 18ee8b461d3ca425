import * as Schema from "effect/Schema";
import { Certificate } from "./certificate-schema.ts";
import { ClusterSection } from "./cluster-schema.ts";
import { ErrorPageSection } from "./error-page-schema.ts";
import { field, record } from "./field.ts";
import { PoliciesSection } from "./policies-schema.ts";
import { RouteSection } from "./route-schema.ts";
import { Bool, Integer, OneOf, PositiveDuration, SslProtocolName, Text } from "./scalars.ts";

const large = Number.MAX_SAFE_INTEGER;

const MinDataRate = Schema.Struct({
  bytesPerSecond: field(Integer(1, large), "Slowest rate.", { default: 240 }),
  gracePeriod: field(PositiveDuration, "Before the rate is enforced.", { default: "00:00:05" }),
});

const Limits = Schema.Struct({
  maxRequestLineSize: field(Integer(1), "Bytes of the request line. 414 beyond.", { default: 8192 }),
  maxRequestHeadersTotalSize: field(Integer(1), "Bytes of all header lines of a request. 431 beyond.", { default: 32_768 }),
  maxRequestHeaderCount: field(Integer(1), "Header lines of a request. 431 beyond.", { default: 100 }),
  maxRequestBodySize: field(Schema.NullOr(Integer(0, large)), "Bytes of a request body; null is unlimited. 413 beyond.", { default: 30_000_000 }),
  requestHeadersTimeout: field(PositiveDuration, "For a request's head to arrive. 408 beyond.", { default: "00:00:30" }),
  keepAliveTimeout: field(PositiveDuration, "Idle time between requests of a connection.", { default: "00:02:10" }),
  minRequestBodyDataRate: field(Schema.NullOr(MinDataRate), "Slowest request body; null is no minimum. 408 below."),
  minResponseDataRate: field(Schema.NullOr(MinDataRate), "Slowest reader of a response; null is no minimum. The connection is reset below."),
  maxConcurrentConnections: field(Schema.NullOr(Integer(1, large)), "Open connections, over all addresses of the gateway together; one more is closed at once.", { defaultText: "unlimited" }),
  maxConcurrentUpgradedConnections: field(Schema.NullOr(Integer(0, large)), "Upgraded connections (WebSocket), over all addresses of the gateway together; one more gets 503.", {
    defaultText: "unlimited",
  }),
  maxRequestBufferSize: field(Integer(1, large), "Bytes of a request held before reading from the client stops.", { default: 1_048_576 }),
  maxResponseBufferSize: field(Integer(0, large), "Bytes of a response held before the destination is slowed down.", { default: 65_536 }),
  maxRequestsPerConnection: field(Schema.NullOr(Integer(1, large)), "Requests on one connection before it is closed.", {
    defaultText: "unlimited",
    extension: true,
  }),
  halfClosedTimeout: field(
    PositiveDuration,
    "How long a client that sent FIN after its request is taken for one that waits for the answer, while nothing is sent to it.",
    { default: "00:00:02", extension: true },
  ),
});

const AffinityKeys = Schema.Struct({
  path: field(Text, "File with a secret of at least 32 bytes on each line; empty lines and those that begin with `#` do not count. Relative to this file. Read again when it changes."),
  secrets: field(Schema.Array(Text), "Secrets for the environment (`Server__AffinityKeys__Secrets__0`), behind those of the file.", { defaultText: "none" }),
});

const AccessLog = Schema.Struct({
  enabled: field(Bool, "Whether the log is on.", { defaultText: "true when a path or a format is given" }),
  path: field(Text, "File that lines are appended to; opened anew at SIGHUP.", { defaultText: "standard error" }),
  format: field(OneOf(["Combined", "Json"]), "Form of the lines.", { default: "Combined" }),
  maskedParameters: field(Schema.Array(Text), "Names of query parameters whose values are written as `***`, beside those of API keys, of sign-ins and of tokens.", { defaultText: "none" }),
});

const endpointProtocols = {
  protocols: field(
    OneOf(["Http1", "Http2", "Http1AndHttp2"], [1, 2, 3]),
    "What is spoken. Over TLS ALPN decides; in cleartext `Http2` is prior knowledge and `Http1AndHttp2` is HTTP/1.1.",
    { defaultText: "`Http1AndHttp2` over TLS, otherwise `Http1`" },
  ),
};

const endpointTls = {
  sslProtocols: field(
    Schema.Array(SslProtocolName),
    "TLS versions that may be used; several in one text are separated by commas.",
    { defaultText: "Tls12, Tls13" },
  ),
  clientCertificateMode: field(OneOf(["NoCertificate", "AllowCertificate", "RequireCertificate"]), "Whether clients are asked for a certificate.", {
    default: "NoCertificate",
  }),
};

const EndpointDefaults = Schema.Struct({ ...endpointProtocols, ...endpointTls });

const Endpoint = Schema.Struct({
  url: field(Text, "Scheme, host and port: `http://localhost:5000`, `https://*:443`. Port 0 takes a free one. Required."),
  ...endpointProtocols,
  certificate: field(Certificate, "For clients that name no server, or one that `Sni` does not have. Read again when a file changes.", {
    defaultText: "`Certificates:Default`",
  }),
  sni: field(
    record(Schema.Struct({ certificate: field(Certificate, "The certificate for that name.") }), "name"),
    "Certificates by server name: `example.org`, `*.example.org`, `*`.",
  ),
  ...endpointTls,
  proxyProtocol: field(
    Bool,
    "Whether connections begin with a header of the PROXY protocol, version 1 or 2, before TLS. Only `TrustedProxies` may connect then.",
    { default: false, extension: true },
  ),
  proxyProtocolTimeout: field(PositiveDuration, "For the header of the PROXY protocol to arrive. The connection is closed beyond.", {
    default: "00:00:05",
    extension: true,
  }),
  clientCertificateAuthorities: field(Text, "File of the authorities (PEM) that vouch for clients. Relative to this file.", {
    defaultText: "those that Node knows",
    extension: true,
  }),
});

const HttpSys = Schema.Struct({
  queueName: field(Text, "Name of the request queue, which other processes can open. With one address only.", { defaultText: "a queue without a name" }),
  libraryPath: field(Text, "Another library with the HTTP Server API.", { defaultText: "that of Windows" }),
});

const Delegation = Schema.Struct({
  backlog: field(
    Integer(1, 65_536),
    "Most requests for one process that it has not taken yet: 128 are on their way to it, the others wait in the gateway, none longer than 5 s. 503 beyond.",
    { default: 4096 },
  ),
});

export const ServerSection = Schema.Struct({
  limits: field(Limits, "Limits of the listening side, with Kestrel's names and defaults."),
  endpoints: field(record(Endpoint, "name"), "Named listeners, in addition to `Urls`."),
  endpointDefaults: field(EndpointDefaults, "What holds for endpoints, and addresses of `Urls`, that say nothing themselves."),
  certificates: field(record(Certificate, "name"), "Certificates by name. `Default` serves the https listeners that have none of their own."),
  shutdownTimeout: field(PositiveDuration, "For requests in flight when the gateway stops.", { default: "00:00:30", extension: true }),
  trustedProxies: field(
    Schema.Array(Text),
    "Addresses and networks (`10.0.0.0/8`) of proxies in front. Their `X-Forwarded-*` and `Forwarded` headers are believed; anybody else's are removed.",
    { defaultText: "none", extension: true },
  ),
  affinityKeys: field(AffinityKeys, "Secrets that protect the session keys of the affinity policies `Cookie` and `CustomHeader`: the first protects, the others only read. The same on all gateways that share clients.", {
    defaultText: "a random secret, which dies with the process",
    extension: true,
  }),
  errorPages: field(
    Schema.Array(ErrorPageSection),
    "Pages for errors that the gateway answers with, and, where a page says so, destinations. Those of the route come first.",
    { defaultText: "none", extension: true },
  ),
  accessLog: field(AccessLog, "One line per request.", { defaultText: "off", extension: true }),
  engine: field(OneOf(["http1", "node", "HttpSys"]), "What serves the addresses: the engine of this toolkit, for HTTP/1.1 `node:http`, or all of it HTTP.sys (Windows).", { default: "http1", extension: true }),
  httpSys: field(HttpSys, "For the engine `HttpSys`. Its TLS certificates are those of Windows (`netsh http add sslcert`).", { extension: true }),
  delegation: field(Delegation, "For destinations with the metadata `DelegationSocket`. Read at the start.", { extension: true }),
  webSocketTelemetry: field(Bool, "Whether the log tells what each WebSocket carried (messages and bytes each way) and how it was closed; so does the access log as JSON.", {
    default: false,
    extension: true,
  }),
});

export const LoggingSection = Schema.Struct({
  logLevel: field(
    record(OneOf(["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]), "category"),
    "Least severe level that is logged, by category. The gateway reads `Default`.",
    { defaultText: "`Default`: `Information`" },
  ),
  // The rest of the section belongs to .NET's logging providers.
}).annotate({ open: true });

export const ReverseProxySection = Schema.Struct({
  routes: field(record(RouteSection, "id"), "Which requests go where, by id, ignoring case."),
  clusters: field(record(ClusterSection, "id"), "Groups of destinations, by id, ignoring case."),
});

/** The whole file. Other top-level sections belong to somebody else and are not looked at. */
export const GatewayFile = Schema.Struct({
  urls: field(Schema.Array(Text), "Addresses to listen on, also as one text separated by `;`.", { defaultText: "none" }),
  server: field(ServerSection, "The listening side. `Kestrel` is another name for this section."),
  logging: field(LoggingSection, "Logs of the gateway."),
  policies: field(PoliciesSection, "Policies that routes name: `AuthorizationPolicy`, `CorsPolicy`, `RateLimiterPolicy`, `TimeoutPolicy`, `AccessPolicy`, `CompressionPolicy`, `StaticFilesPolicy`, `OutputCachePolicy`.", { extension: true }),
  reverseProxy: field(ReverseProxySection, "The proxy: YARP's section, unchanged."),
}).annotate({ open: true });
