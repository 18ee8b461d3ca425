import type { RouteConfig } from "./route-config.ts";

/** What a route asks of the edge policies; undefined: nothing. */
export interface RoutePolicies {
  /** `default`: the default policy; `anonymous`: no check at all, not even the fallback policy. */
  readonly authorization: "default" | "anonymous" | NamedPolicy | undefined;
  readonly cors: "default" | "disabled" | NamedPolicy | undefined;
  readonly rateLimiter: "default" | "disabled" | NamedPolicy | undefined;
  /** `milliseconds`: a timeout of the route's own. */
  readonly timeout: "disabled" | NamedPolicy | { readonly milliseconds: number } | undefined;
  readonly outputCache: "disabled" | NamedPolicy | undefined;
  readonly access: "disabled" | NamedPolicy | undefined;
  readonly compression: "disabled" | NamedPolicy | undefined;
  readonly staticFiles: NamedPolicy | undefined;
}

/** A policy that is to be found by its name. */
export interface NamedPolicy {
  readonly policy: string;
}

/** Reads the reserved names (ignoring case) out of a route's policy members. */
export function routePolicies(route: RouteConfig): RoutePolicies {
  return {
    authorization: named(route.authorizationPolicy, { default: "default", anonymous: "anonymous" }),
    cors: named(route.corsPolicy, { default: "default", disable: "disabled" }),
    rateLimiter: named(route.rateLimiterPolicy, { default: "default", disable: "disabled" }),
    timeout: hasValue(route.timeout) ? { milliseconds: route.timeout } : named(route.timeoutPolicy, { disable: "disabled" }),
    outputCache: named(route.outputCachePolicy, { disable: "disabled" }),
    access: named(route.accessPolicy, { disable: "disabled" }),
    compression: named(route.compressionPolicy, { disable: "disabled" }),
    staticFiles: hasValue(route.staticFilesPolicy) ? { policy: route.staticFilesPolicy } : undefined,
  };
}

function hasValue<T extends string | number>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null && value !== "";
}

function named<const T extends string>(name: string | null | undefined, reserved: Readonly<Record<string, T>>): T | NamedPolicy | undefined {
  if (!hasValue(name)) return undefined;
  const lower = name.toLowerCase();
  return Object.hasOwn(reserved, lower) ? reserved[lower] : { policy: name };
}

/**
 * The limit for a request's body in bytes, undefined for none: the route's (`-1` is none) where it has one, else the server's.
 * `fixed`: the body has begun to be read, the server's limit stays.
 */
export function effectiveBodyLimit(
  serverLimit: number | null | undefined,
  routeLimit: number | null | undefined,
  fixed = false,
): number | undefined {
  if (fixed || routeLimit === undefined || routeLimit === null) return serverLimit ?? undefined;
  return routeLimit === -1 ? undefined : routeLimit;
}
