import * as Schema from "effect/Schema";
import { ErrorPageSection } from "./error-page-schema.ts";
import { field, record } from "./field.ts";
import { AffinityCookie } from "./cluster-schema.ts";
import { Retry } from "./retry-schema.ts";
import { Bool, Duration, Integer, OneOf, Text } from "./scalars.ts";

const RouteHeader = Schema.Struct({
  name: field(Text, "Name of the header, ignoring case. Required."),
  values: field(Schema.Array(Text), "One of them must hold. Required, except for `Exists` and `NotExists`, which have none."),
  mode: field(
    OneOf(["ExactHeader", "HeaderPrefix", "Contains", "NotContains", "Exists", "NotExists"]),
    "How a value is compared. `NotContains` and `NotExists` hold also for a missing header.",
    { default: "ExactHeader" },
  ),
  isCaseSensitive: field(Bool, "Whether the case of values counts.", { default: false }),
});

const RouteQueryParameter = Schema.Struct({
  name: field(Text, "Name of the query parameter, ignoring case. Required."),
  values: field(Schema.Array(Text), "One of them must hold. Required, except for `Exists`, which has none."),
  mode: field(
    // In the order of .NET's numbers.
    OneOf(["Exact", "Contains", "NotContains", "Prefix", "Exists"]),
    "How a value is compared, after percent-decoding. `NotContains` holds also for a missing parameter.",
    { default: "Exact" },
  ),
  isCaseSensitive: field(Bool, "Whether the case of values counts.", { default: false }),
});

const RouteMatch = Schema.Struct({
  path: field(Text, "Path template: `/api/{id:int}/{**rest}`.", { defaultText: "every path" }),
  hosts: field(Schema.Array(Text), "`host`, `host:port`, `*.suffix` or `*`; the port may be `*`. International names in Unicode.", {
    defaultText: "every host",
  }),
  methods: field(Schema.Array(Text), "HEAD, OPTIONS, GET, PUT, POST, PATCH, DELETE, TRACE.", { defaultText: "every method" }),
  headers: field(Schema.Array(Schema.NullOr(RouteHeader)), "Rules on request headers; all must hold."),
  queryParameters: field(Schema.Array(Schema.NullOr(RouteQueryParameter)), "Rules on query parameters; all must hold."),
});

const Respond = Schema.Struct({
  statusCode: field(Integer(), "Status of the response, 200 to 599.", { default: 200 }),
  headers: field(record(Text, "name"), "Headers of the response."),
  body: field(Text, "Text of the response, sent as UTF-8. Not together with `BodyFile`."),
  bodyFile: field(Text, "A file that is read when the configuration is loaded, relative to the configuration file."),
});

const Redirect = Schema.Struct({
  statusCode: field(Integer(), "301, 302, 303, 307 or 308.", { default: 302 }),
  location: field(Text, "URL or path; `{name}` stands for a route value, percent-encoded. The query of the request is not added. Required."),
});

const TrafficSplit = Schema.Struct({
  clusters: field(record(Integer(0, 1_000_000), "cluster"), "Share of the requests by cluster, relative to the others; 0 is none. Required."),
  sticky: field(
    Schema.Struct({
      on: field(OneOf(["Cookie", "Header"]), "`Cookie`: the gateway hands one out. `Header`: the same value goes to the same cluster.", {
        default: "Cookie",
      }),
      name: field(Text, "Name of the cookie or header. Required."),
      cookie: field(AffinityCookie, "Attributes of the cookie."),
    }),
    "Keeps a client at the cluster it was given.",
    { defaultText: "each request is drawn anew" },
  ),
  overrideHeader: field(Text, "A request header that names one of the clusters: it is taken, whatever its weight.", { defaultText: "none" }),
});

const Mirror = Schema.Struct({
  clusterId: field(Text, "Cluster that gets the copies. Required."),
  percent: field(Integer(0, 100), "Share of the requests that is copied.", { default: 100 }),
  maxBodySize: field(Integer(0, 16_777_216), "Bytes of a request body; requests with a larger one are not mirrored.", { default: 65_536 }),
  maxConcurrent: field(Integer(1), "Copies under way to the cluster at a time; beyond them none is made.", { default: 100 }),
  timeout: field(Duration, "For one copy, its response included, above 0.", { default: "00:00:30" }),
});

export const RouteSection = Schema.Struct({
  enabled: field(Bool, "False takes the route out as if it were not there.", { default: true, extension: true }),
  order: field(Integer(), "Lower comes first, before all other criteria.", { default: 0 }),
  clusterId: field(Text, "Cluster to forward to. Without one (and without `Respond` or `Redirect`) requests get 503."),
  match: field(RouteMatch, "Which requests; needs `Hosts` or a `Path`. Required."),
  authorizationPolicy: field(Text, "Name of a policy, `Default` or `Anonymous`.", { defaultText: "the fallback policy" }),
  rateLimiterPolicy: field(Text, "Name of a policy, `Default` or `Disable`.", { defaultText: "only the global limiter" }),
  outputCachePolicy: field(Text, "Name of a policy or `Disable`.", { defaultText: "the base policy `Default`, where there is one" }),
  timeoutPolicy: field(Text, "Name of a policy or `Disable`. Not together with `Timeout`."),
  timeout: field(Duration, "Limit from the first step to the response head, above 0; 504 beyond."),
  corsPolicy: field(Text, "Name of a policy, `Default` or `Disable`."),
  accessPolicy: field(Text, "Name of a policy or `Disable`.", { defaultText: "the policy `Default`, where there is one", extension: true }),
  compressionPolicy: field(Text, "Name of a policy or `Disable`.", { defaultText: "the policy `Default`, where there is one", extension: true }),
  staticFilesPolicy: field(Text, "Name of a policy. A route without a cluster then answers 404 where there is no file.", { extension: true }),
  maxRequestBodySize: field(Integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), "Bytes of a request body; -1 is unlimited.", {
    defaultText: "`Server:Limits:MaxRequestBodySize`",
  }),
  metadata: field(record(Text, "name"), "Free text by name, ignoring case."),
  transforms: field(Schema.Array(record(Text, "name")), "Changes to requests and responses, in order; each is a map of names to text."),
  trafficSplit: field(TrafficSplit, "Shares the requests among clusters. Not together with `ClusterId`, `Respond` or `Redirect`.", {
    keepsEmpty: true,
    extension: true,
  }),
  retry: field(Retry, "When requests are tried again at another destination, in the place of the cluster's `Retry` as a whole.", {
    defaultText: "the cluster's",
    keepsEmpty: true,
    extension: true,
  }),
  mirror: field(Mirror, "Sends copies of requests to another cluster too.", { keepsEmpty: true, extension: true }),
  errorPages: field(Schema.Array(ErrorPageSection), "Pages for answers that tell of an error; they come before those of `Server:ErrorPages`.", { extension: true }),
  respond: field(Respond, "Answer from the gateway itself. Not together with `ClusterId` or `Redirect`.", { keepsEmpty: true, extension: true }),
  redirect: field(Redirect, "Send the client elsewhere. Not together with `ClusterId` or `Respond`.", { keepsEmpty: true, extension: true }),
});
