import type { AuthenticationSchemeConfig, AuthorizationPolicyConfig } from "./authentication-config.ts";

/**
 * Edge policies by name: what a route names with `CorsPolicy`, `RateLimiterPolicy`, `TimeoutPolicy`, `AccessPolicy`. Extension: YARP takes them
 * from the application's code. Names ignore case.
 */
export interface PoliciesConfig {
  /** `Default` is the one that routes mean by `CorsPolicy: Default`. */
  readonly cors?: readonly CorsPolicyConfig[] | undefined;
  /** `Default` is the global limiter: it holds for every route that does not say `Disable`, in addition to the route's own. */
  readonly rateLimiter?: readonly RateLimiterPolicyConfig[] | undefined;
  /** `Default` holds for routes that forward and have neither `Timeout` nor `TimeoutPolicy`. */
  readonly timeout?: readonly TimeoutPolicyConfig[] | undefined;
  /** `Default` holds for routes that name none. */
  readonly access?: readonly AccessPolicyConfig[] | undefined;
  /** `Default` holds for routes that name none. */
  readonly compression?: readonly CompressionPolicyConfig[] | undefined;
  readonly staticFiles?: readonly StaticFilesPolicyConfig[] | undefined;
  /** `Default` is the base policy: it holds for routes that name none. */
  readonly outputCache?: readonly OutputCachePolicyConfig[] | undefined;
  /** Schemes, which policies of `authorization` name. */
  readonly authentication?: readonly AuthenticationSchemeConfig[] | undefined;
  /** `Default` is what routes mean by `AuthorizationPolicy: Default`, `Fallback` holds for those that name none. */
  readonly authorization?: readonly AuthorizationPolicyConfig[] | undefined;
}

/** Which pages of other origins may read answers (Fetch standard, 3.3). */
export interface CorsPolicyConfig {
  readonly name: string;
  /** `https://app.example`, `https://*.example.org` (each subdomain, not the domain itself), or `*` for any. */
  readonly origins?: readonly string[] | undefined;
  /** Beside GET, HEAD and POST, which need no leave; `*` for any. Default: none. */
  readonly methods?: readonly string[] | undefined;
  /** Request fields; `*` for any. Default: none beside those that need no leave. */
  readonly headers?: readonly string[] | undefined;
  /** Response fields that pages may read; `*` for any where there are no credentials. Default: none beside those that need no leave. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Whether requests may carry cookies. Not with origin `*`. Default false. */
  readonly credentials?: boolean | undefined;
  /** Milliseconds that a browser may keep the answer to a preflight. Default: the browser's, 5 seconds. */
  readonly maxAge?: number | undefined;
  /** Whether pages of public addresses may reach this private one (Private Network Access). Default false. */
  readonly privateNetwork?: boolean | undefined;
}

/** How permits come back: all at the end of a window, by segments of it, little by little, or when a request is over. */
export type RateLimiterAlgorithm = "FixedWindow" | "SlidingWindow" | "TokenBucket" | "Concurrency";
/** What shares one limit: an address, a user, a header's value, a route, or everybody. */
export type RateLimiterPartition = "Address" | "User" | "Header" | "Route" | "None";

export interface RateLimiterPolicyConfig {
  readonly name: string;
  readonly algorithm?: RateLimiterAlgorithm | undefined;
  /** Requests per window; tokens that a bucket holds; requests at a time. At least 1. Required. */
  readonly permitLimit?: number | undefined;
  /** Milliseconds of a window; what a bucket needs to fill from empty. Default 1 minute. None for `Concurrency`. */
  readonly window?: number | undefined;
  /** Who shares a count. `User` without one is `Address`. Default `Address`. */
  readonly partitionBy?: RateLimiterPartition | undefined;
  /** The field for `Header`. */
  readonly headerName?: string | undefined;
  /** Requests of a partition that may wait for a permit. Default 0. */
  readonly queueLimit?: number | undefined;
  /** Who is served first of those who wait. In a full queue `NewestFirst` has the oldest give way to who comes. Default `OldestFirst`. */
  readonly queueProcessingOrder?: "OldestFirst" | "NewestFirst" | undefined;
  /** Milliseconds that a request waits at most. Default 10 seconds. */
  readonly queueTimeout?: number | undefined;
  /** Partitions that are counted at a time, which bounds memory to 24 bytes for each. Default 1 048 576. */
  readonly maxPartitions?: number | undefined;
  /** Status of refusals. Default 429. */
  readonly statusCode?: number | undefined;
  /** Whether answers have RateLimit and RateLimit-Policy. Default true. */
  readonly sendHeaders?: boolean | undefined;
}

export interface TimeoutPolicyConfig {
  readonly name: string;
  /** Milliseconds, as `Timeout` of a route. Required. */
  readonly timeout?: number | undefined;
}

/** What requests must be like to pass at all; 403 unless said otherwise. */
export interface AccessPolicyConfig {
  readonly name: string;
  /** Addresses and networks (`10.0.0.0/8`) that may pass. Default: all. */
  readonly allowAddresses?: readonly string[] | undefined;
  /** Those that may not, whatever `allowAddresses` says. Default: none. */
  readonly denyAddresses?: readonly string[] | undefined;
  /** Methods that may pass; others get 405. Default: all. */
  readonly methods?: readonly string[] | undefined;
  /** Fields that must be there; 400 otherwise. Default: none. */
  readonly requireHeaders?: readonly string[] | undefined;
  /** Fields that must not be there; 400 otherwise. Default: none. */
  readonly denyHeaders?: readonly string[] | undefined;
  /**
   * What becomes of paths that a destination may read otherwise than the route that matched: encoded delimiters and dots, `;`, empty segments and their like, all of them in the
   * documentation of access rules. `Refuse`: 400. Default `Pass`.
   */
  readonly ambiguousPaths?: "Pass" | "Refuse" | undefined;
  /** Characters of path and query; 414 beyond. Default: the server's limit. */
  readonly maxTargetLength?: number | undefined;
  /** Bytes of all header lines together; 431 beyond. Default: the server's limit. */
  readonly maxHeaderBytes?: number | undefined;
  /** Bytes of a request body; 413 beyond. `MaxRequestBodySize` of the route comes first. Default: the server's limit. */
  readonly maxBodySize?: number | undefined;
}

/** Codings of compressed answers. */
export type ContentEncoding = "br" | "zstd" | "gzip";

/** Which answers are compressed, for clients that take it. */
export interface CompressionPolicyConfig {
  readonly name: string;
  /** The ones to use, the preferred first. Default: br, zstd, gzip. */
  readonly encodings?: readonly ContentEncoding[] | undefined;
  /** Media types without parameters, `text/*` for all of a kind. Default: text, JSON, XML, JavaScript, SVG, WebAssembly. */
  readonly mediaTypes?: readonly string[] | undefined;
  /** Bytes: an answer that says it is smaller stays as it is. Default 1024. */
  readonly minimumSize?: number | undefined;
  /** Whether answers over TLS are compressed too, where their length can tell of secrets in them (BREACH). Default false. */
  readonly enableForHttps?: boolean | undefined;
}

/** Files that the gateway answers with, before the route's cluster is asked. */
export interface StaticFilesPolicyConfig {
  readonly name: string;
  /**
   * The folder. Readers of configuration files make it absolute, relative to that file; a relative one that comes from code is relative to the working
   * directory. Required.
   */
  readonly root?: string | undefined;
  /** What is taken off the path of the request; other paths have no files. Default: nothing. */
  readonly requestPath?: string | undefined;
  /** A file below `root` for pages that neither a file nor a cluster of the route has: the start page of a single-page application. Default: none. */
  readonly fallback?: string | undefined;
  /** Milliseconds that clients may keep files, the fallback excepted. Default 0: they ask each time whether it changed. */
  readonly maxAge?: number | undefined;
}

/** Who says how long an answer is stored: the policy, or its own Cache-Control (RFC 9111). */
export type OutputCacheMode = "Policy" | "Http";
/** Requests with cookies go by the cache; lose them before a destination sees them; or are treated like others. */
export type OutputCacheCookies = "Bypass" | "Remove" | "Ignore";

/** Which answers are kept, and given again without asking a destination. */
export interface OutputCachePolicyConfig {
  readonly name: string;
  /** `Policy`: this policy decides, as ASP.NET's output cache. `Http`: answers and requests do, as in a shared cache (RFC 9111). Default `Policy`. */
  readonly mode?: OutputCacheMode | undefined;
  /** Nothing is kept. Default false. */
  readonly noCache?: boolean | undefined;
  /** Milliseconds that an answer is kept. Default 1 minute. Not for `Http`. */
  readonly duration?: number | undefined;
  /** The same by the name that ASP.NET gives it. */
  readonly expirationTimeSpan?: number | undefined;
  /** Request fields whose values have answers of their own, in addition to what answers name in Vary. Default: none. */
  readonly varyByHeader?: readonly string[] | undefined;
  /** Names of query parameters whose values have answers of their own; others are not looked at. Default: the whole query. */
  readonly varyByQuery?: readonly string[] | undefined;
  /** Values of the route, by name, that have answers of their own: for transforms that use them. Default: none. */
  readonly varyByRouteValue?: readonly string[] | undefined;
  /** Whether each host has answers of its own. Default true. */
  readonly varyByHost?: boolean | undefined;
  /** Whether each user has answers of their own; otherwise requests of users are not answered from here. Default false. */
  readonly varyByUser?: boolean | undefined;
  /** By what answers can be evicted. Default: none. */
  readonly tags?: readonly string[] | undefined;
  /** What is done with requests that have cookies. Default `Bypass`; of mode `Http` `Ignore`. */
  readonly cookies?: OutputCacheCookies | undefined;
  /** Request fields that destinations do not get to see, since nobody's answer may depend on them. Default: those that change path, host or method. */
  readonly unkeyedHeaders?: readonly string[] | undefined;
  /** Bytes of all answers together. Default 100 MiB. */
  readonly sizeLimit?: number | undefined;
  /** Bytes of a body that is kept. Default 64 MiB, at most `sizeLimit`. */
  readonly maximumBodySize?: number | undefined;
  /** Answers for one address that differ by fields, users or routes. Default 64. */
  readonly maxVariants?: number | undefined;
  /** Whether requests for the same answer wait for the first of them. Default true. */
  readonly locking?: boolean | undefined;
  /** Milliseconds that a request waits for another at most. Default 5 seconds. */
  readonly lockTimeout?: number | undefined;
  /** Requests that wait for one other at most. Default 1000. */
  readonly lockQueueLimit?: number | undefined;
  /** Whether `no-store` and `private` of answers are disregarded. Not for `Http`. Default false. */
  readonly ignoreAnswerCacheControl?: boolean | undefined;
  /** Whether Cache-Control of requests is disregarded, `only-if-cached` excepted. Mode `Policy` always does. Default false. */
  readonly ignoreRequestCacheControl?: boolean | undefined;
  /** Whether answers tell by Cache-Status where they come from (RFC 9211). Default false. */
  readonly sendCacheStatus?: boolean | undefined;
}

/** Kinds of policies that configuration defines, with the section of each. */
export const policySections = { cors: "Cors", rateLimiter: "RateLimiter", timeout: "Timeout", access: "Access", compression: "Compression", staticFiles: "StaticFiles", outputCache: "OutputCache", authentication: "Authentication", authorization: "Authorization" } as const;

/** The kinds of policy that `Policies` defines; others are registered in code. */
export type DefinedPolicyKind = keyof typeof policySections;

/** The policy of that name, ignoring case. */
export function policyNamed<T extends { readonly name: string }>(policies: readonly T[] | undefined, name: string): T | undefined {
  const lower = name.toLowerCase();
  return policies?.find((policy) => policy.name.toLowerCase() === lower);
}

/** All policies of several configurations, in order; one that stands twice is found by the validation. */
export function mergePolicies(all: readonly (PoliciesConfig | undefined)[]): PoliciesConfig | undefined {
  const given = all.filter((each) => each !== undefined);
  if (given.length < 2) return given[0];
  const merge = <K extends DefinedPolicyKind>(kind: K): readonly NonNullable<PoliciesConfig[K]>[number][] =>
    given.flatMap((each) => (each[kind] ?? []) as readonly NonNullable<PoliciesConfig[K]>[number][]);
  return Object.fromEntries((Object.keys(policySections) as DefinedPolicyKind[]).map((kind) => [kind, merge(kind)]));
}
