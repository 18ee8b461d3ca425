/** Routes: which requests, and what becomes of them. Names and defaults are YARP's unless marked as extension. */
import type { ErrorPageConfig } from "./error-page-config.ts";
import type { RetryConfig } from "./retry-config.ts";
import type { MirrorConfig, TrafficSplitConfig } from "./traffic-config.ts";

export interface RouteConfig {
  /** Unique among routes, ignoring case. */
  readonly routeId: string;
  /** Extension: false takes the route out as if it were not there; its faults are still reported. Default true. */
  readonly enabled?: boolean | undefined;
  /** Lower wins, compared before everything else. Default 0. */
  readonly order?: number | undefined;
  /** The cluster to forward to. A name that no cluster has is a 503 on match, not a configuration error. */
  readonly clusterId?: string | undefined;
  readonly match: RouteMatch;
  /** A policy name, `Default` or `Anonymous`. */
  readonly authorizationPolicy?: string | undefined;
  /** A policy name, `Default` or `Disable`. */
  readonly rateLimiterPolicy?: string | undefined;
  readonly outputCachePolicy?: string | undefined;
  /** A policy name or `Disable`; not together with `timeout`. */
  readonly timeoutPolicy?: string | undefined;
  /** Milliseconds for the whole request, above 0. */
  readonly timeout?: number | undefined;
  /** A policy name, `Default` or `Disable`. */
  readonly corsPolicy?: string | undefined;
  /** Extension: a policy name or `Disable`. Default: the policy `Default`, where there is one. */
  readonly accessPolicy?: string | undefined;
  /** Extension: a policy name or `Disable`. Default: the policy `Default`, where there is one. */
  readonly compressionPolicy?: string | undefined;
  /** Extension: a policy name. A route that has no cluster then answers 404 where there is no file. */
  readonly staticFilesPolicy?: string | undefined;
  /** Bytes of request body; -1 is unlimited. Default: the server's limit. */
  readonly maxRequestBodySize?: number | undefined;
  /** Free text by name; names ignore case (see `metadataValue`). */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Each a set of transform keys and values, names ignoring case. */
  readonly transforms?: readonly Readonly<Record<string, string>>[] | undefined;
  /** Extension: shares the requests among several clusters. Not together with `clusterId`, `respond` or `redirect`. */
  readonly trafficSplit?: TrafficSplitConfig | undefined;
  /** Extension: in the place of the cluster's `retry`, as a whole. */
  readonly retry?: RetryConfig | undefined;
  /** Extension: sends copies of requests to another cluster too. */
  readonly mirror?: MirrorConfig | undefined;
  /** Extension: pages for answers that tell of an error; they come before those of the server. */
  readonly errorPages?: readonly ErrorPageConfig[] | undefined;
  /** Extension: answer from the gateway instead of forwarding. Not together with `clusterId` or `redirect`. */
  readonly respond?: RespondAction | undefined;
  /** Extension: send the client elsewhere. Not together with `clusterId` or `respond`. */
  readonly redirect?: RedirectAction | undefined;
}

/** All parts must hold. A match needs hosts or a path. */
export interface RouteMatch {
  /** An ASP.NET route template. Default: every path. */
  readonly path?: string | undefined;
  /** `host`, `host:port`, `*.suffix`, `*`, each with optional port or `:*`. Default: every host. */
  readonly hosts?: readonly string[] | undefined;
  /** Default: every method. */
  readonly methods?: readonly string[] | undefined;
  readonly headers?: readonly RouteHeader[] | undefined;
  readonly queryParameters?: readonly RouteQueryParameter[] | undefined;
}

/** How values of a header are compared. `NotContains` and `NotExists` hold also for a header that is missing. */
export type HeaderMatchMode =
  | "ExactHeader"
  | "HeaderPrefix"
  | "Contains"
  | "NotContains"
  | "Exists"
  | "NotExists";

export interface RouteHeader {
  readonly name: string;
  /** One of them must hold. None for `Exists` and `NotExists`. */
  readonly values?: readonly string[] | undefined;
  /** Default `ExactHeader`. */
  readonly mode?: HeaderMatchMode | undefined;
  /** Default false. */
  readonly isCaseSensitive?: boolean | undefined;
}

/** How values of a query parameter are compared, percent-decoded. `NotContains` holds also for one that is missing. */
export type QueryParameterMatchMode = "Exact" | "Prefix" | "Contains" | "NotContains" | "Exists";

export interface RouteQueryParameter {
  readonly name: string;
  readonly values?: readonly string[] | undefined;
  /** Default `Exact`. */
  readonly mode?: QueryParameterMatchMode | undefined;
  /** Default false. */
  readonly isCaseSensitive?: boolean | undefined;
}

export interface RespondAction {
  /** Default 200. */
  readonly statusCode?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Text, sent as UTF-8. Not together with `bodyFile`. */
  readonly body?: string | undefined;
  /**
   * A file read when the configuration is applied. Readers of configuration files make it absolute, relative to that file; a
   * relative one that comes from code is relative to the working directory.
   */
  readonly bodyFile?: string | undefined;
}

export interface RedirectAction {
  /** 301, 302, 303, 307 or 308. Default 302. */
  readonly statusCode?: number | undefined;
  /** A URL or path; `{name}` stands for a route value, percent-encoded. The query of the request is not added. */
  readonly location: string;
}
