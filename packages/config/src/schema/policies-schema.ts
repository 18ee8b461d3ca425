import * as Schema from "effect/Schema";
import { AuthenticationScheme } from "./authentication-schema.ts";
import { AuthorizationPolicy } from "./authorization-schema.ts";
import { field, record } from "./field.ts";
import { Bool, Duration, Integer, OneOf, Text } from "./scalars.ts";

const large = Number.MAX_SAFE_INTEGER;
const list = Schema.Array(Text);

const Cors = Schema.Struct({
  origins: field(list, "`https://app.example`, `https://*.example.org` (each subdomain, not the domain itself), or `*` for any. Required."),
  methods: field(list, "Methods beside GET, HEAD and POST, which need no leave; `*` for any.", { defaultText: "none" }),
  headers: field(list, "Request fields beside those that need no leave; `*` for any.", { defaultText: "none" }),
  exposedHeaders: field(list, "Response fields that pages may read; `*` for any, without `Credentials`.", { defaultText: "none" }),
  credentials: field(Bool, "Whether requests may carry cookies. Not with origin `*`.", { default: false }),
  maxAge: field(Duration, "How long a browser may keep the answer to a preflight.", { defaultText: "the browser's, 5 seconds" }),
  privateNetwork: field(Bool, "Whether pages of public addresses may reach this private one.", { default: false }),
});

const RateLimiter = Schema.Struct({
  algorithm: field(OneOf(["FixedWindow", "SlidingWindow", "TokenBucket", "Concurrency"]), "How requests are counted.", { default: "FixedWindow" }),
  permitLimit: field(Integer(1), "Requests per window; tokens that a bucket holds; requests at a time. Required."),
  window: field(Duration, "Length of a window; what a bucket needs to fill from empty.", { default: "00:01:00" }),
  partitionBy: field(OneOf(["Address", "User", "Header", "Route", "None"]), "Who shares a count. `User` without one is `Address`; of IPv6 addresses the first 64 bits count.", {
    default: "Address",
  }),
  headerName: field(Text, "The field for `Header`."),
  queueLimit: field(Integer(0), "Requests of a partition that may wait for a permit.", { default: 0 }),
  queueProcessingOrder: field(OneOf(["OldestFirst", "NewestFirst"]), "Who is served first of those who wait. In a full queue `NewestFirst` has the oldest give way to who comes.", { default: "OldestFirst" }),
  queueTimeout: field(Duration, "How long a request waits at most.", { default: "00:00:10" }),
  maxPartitions: field(Integer(1024, 67_108_864), "Partitions that are counted at a time, 24 bytes each.", { default: 1_048_576 }),
  statusCode: field(Integer(400, 599), "Status of refusals.", { default: 429 }),
  sendHeaders: field(Bool, "Whether answers have `RateLimit` and `RateLimit-Policy`.", { default: true }),
});

const Timeout = Schema.Struct({
  timeout: field(Duration, "Limit from the first step to the response head, above 0; 504 beyond. Required."),
});

const Access = Schema.Struct({
  allowAddresses: field(list, "Addresses and networks (`10.0.0.0/8`) that may pass; 403 for others.", { defaultText: "all", keepsEmpty: true }),
  denyAddresses: field(list, "Those that may not, whatever `AllowAddresses` says; 403.", { defaultText: "none" }),
  methods: field(list, "Methods that may pass; 405 for others.", { defaultText: "all", keepsEmpty: true }),
  requireHeaders: field(list, "Fields that must be there; 400 otherwise.", { defaultText: "none" }),
  denyHeaders: field(list, "Fields that must not be there; 400 otherwise.", { defaultText: "none" }),
  ambiguousPaths: field(OneOf(["Pass", "Refuse"]), "Paths that a destination may read otherwise than the route that matched (encoded delimiters and dots, `;`, empty segments and their like): `Refuse` answers 400.", {
    default: "Pass",
  }),
  maxTargetLength: field(Integer(1), "Characters of path and query; 414 beyond.", { defaultText: "the server's limit" }),
  maxHeaderBytes: field(Integer(1), "Bytes of all header lines together; 431 beyond.", { defaultText: "the server's limit" }),
  maxBodySize: field(Integer(0, large), "Bytes of a request body; 413 beyond. `MaxRequestBodySize` of the route comes first.", { defaultText: "the server's limit" }),
});

const Compression = Schema.Struct({
  encodings: field(Schema.Array(OneOf(["br", "zstd", "gzip"])), "The ones to use, the preferred first.", { defaultText: "br, zstd, gzip" }),
  mediaTypes: field(list, "Media types without parameters; `text/*` for all of a kind.", { defaultText: "text, JSON, XML, JavaScript, SVG, WebAssembly" }),
  minimumSize: field(Integer(0), "Bytes: an answer that says it is smaller stays as it is.", { default: 1024 }),
  enableForHttps: field(Bool, "Whether answers over TLS are compressed too, where their length can tell of secrets in them (BREACH).", { default: false }),
});

const StaticFiles = Schema.Struct({
  root: field(Text, "The folder, relative to the configuration file. Required."),
  requestPath: field(Text, "What is taken off the path of the request; other paths have no files.", { defaultText: "nothing" }),
  fallback: field(Text, "A file below `Root` for pages that neither a file nor a cluster of the route has.", { defaultText: "none" }),
  maxAge: field(Duration, "How long clients may keep files, the fallback excepted.", { defaultText: "they ask each time" }),
});

const OutputCache = Schema.Struct({
  mode: field(OneOf(["Policy", "Http"]), "`Policy`: this policy decides, as ASP.NET's output cache. `Http`: answers and requests do, as in a shared cache (RFC 9111).", { default: "Policy" }),
  noCache: field(Bool, "Nothing is kept.", { default: false }),
  duration: field(Duration, "How long an answer is kept. Not for `Http`.", { default: "00:01:00" }),
  expirationTimeSpan: field(Duration, "The same by the name that ASP.NET gives it.", { defaultText: "`Duration`" }),
  varyByHeader: field(list, "Request fields whose values have answers of their own, in addition to what answers name in `Vary`.", { defaultText: "none" }),
  varyByQuery: field(list, "Names of query parameters whose values have answers of their own; others are not looked at. `[\"\"]`: none of them.", { defaultText: "the whole query" }),
  varyByRouteValue: field(list, "Values of the route that have answers of their own.", { defaultText: "none" }),
  varyByHost: field(Bool, "Whether each host has answers of its own.", { default: true }),
  varyByUser: field(Bool, "Whether each user has answers of their own; otherwise requests of users are neither answered from here nor kept.", { default: false }),
  tags: field(list, "By what answers can be evicted.", { defaultText: "none" }),
  cookies: field(OneOf(["Bypass", "Remove", "Ignore"]), "Requests with cookies go by the cache; lose them before a destination sees them; or are treated like others.", { defaultText: "`Bypass`; of mode `Http` `Ignore`" }),
  unkeyedHeaders: field(list, "Request fields that destinations do not get to see, since nobody's answer may depend on them.", { defaultText: "those that change path, host or method" }),
  sizeLimit: field(Integer(0, large), "Bytes of all answers together.", { default: 104_857_600 }),
  maximumBodySize: field(Integer(0, large), "Bytes of a body that is kept.", { default: 67_108_864 }),
  maxVariants: field(Integer(1), "Answers for one address that differ by fields, users or routes.", { default: 64 }),
  locking: field(Bool, "Whether requests for the same answer wait for the first of them.", { default: true }),
  lockTimeout: field(Duration, "How long a request waits for another at most.", { default: "00:00:05" }),
  lockQueueLimit: field(Integer(0), "Requests that wait for one other at most.", { default: 1000 }),
  ignoreAnswerCacheControl: field(Bool, "Whether `no-store` and `private` of answers are disregarded. Not for `Http`.", { default: false }),
  ignoreRequestCacheControl: field(Bool, "Whether `Cache-Control` of requests is disregarded, `only-if-cached` excepted. Mode `Policy` always does.", { default: false }),
  sendCacheStatus: field(Bool, "Whether answers tell by `Cache-Status` where they come from.", { default: false }),
});

/** Policies that routes name. */
export const PoliciesSection = Schema.Struct({
  authentication: field(record(AuthenticationScheme, "name"), "Ways to find out who a request comes from, which policies of `Authorization` name. Each has exactly one of these sections."),
  authorization: field(
    record(AuthorizationPolicy, "name"),
    "Who may pass: all that a policy says must hold. `Default` is what routes mean by `AuthorizationPolicy: Default`, `Fallback` holds for routes that name none.",
  ),
  cors: field(record(Cors, "name"), "Which pages of other origins may read answers. `Default` is what routes mean by `CorsPolicy: Default`."),
  rateLimiter: field(record(RateLimiter, "name"), "How often requests may come. `Default` is the global limiter: it holds for every route that does not say `Disable`, in addition to the route's own."),
  timeout: field(record(Timeout, "name"), "How long requests may take. `Default` holds for routes that forward and have neither `Timeout` nor `TimeoutPolicy`."),
  access: field(record(Access, "name"), "What requests must be like to pass at all. `Default` holds for routes that name none."),
  staticFiles: field(record(StaticFiles, "name"), "Files that the gateway answers with, before the route's cluster is asked."),
  outputCache: field(record(OutputCache, "name"), "Which answers are kept, and given again without asking a destination. `Default` holds for routes that name none."),
  compression: field(record(Compression, "name"), "Which answers are compressed. `Default` holds for routes that name none."),
});
