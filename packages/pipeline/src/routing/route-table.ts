import type { RouteConfig } from "@proxy/config";
import type { ConfigIssue } from "@proxy/config";
import type { HeaderList } from "@proxy/http";
import type { ConstraintFactory } from "./constraints.ts";
import type { RouteValues } from "./route-values.ts";

/** A declared route and what the owner of the table wants back when it matches. */
export interface RouteEntry<T> {
  readonly config: RouteConfig;
  readonly payload: T;
}

/** What matching reads of a request; a `RequestHead` is one. */
export interface RouteRequest {
  readonly method: string;
  /** Percent-encoded and normalised, beginning with `/` (or `*`). */
  readonly path: string;
  /** Raw, with its `?`; empty when there is none. */
  readonly query: string;
  readonly scheme: "http" | "https";
  /** Host and optional port. */
  readonly authority: string;
  readonly headers: HeaderList;
}

export interface RouteMatched<T> {
  readonly kind: "matched";
  readonly config: RouteConfig;
  readonly payload: T;
  /** What the path captured; computed when first asked for. */
  readonly values: RouteValues;
}

/** No route for this request: 404. */
export interface RouteNotFound {
  readonly kind: "not-found";
}

/** Path and host are known, the method is not: 405. */
export interface RouteMethodNotAllowed {
  readonly kind: "method-not-allowed";
  /** The Allow header: the methods there are, sorted, joined by ", ". */
  readonly allow: string;
}

export type RouteMatchResult<T> = RouteMatched<T> | RouteNotFound | RouteMethodNotAllowed;

export interface RouteTableOptions {
  /** Constraints beside the built-in ones, by name (ignoring case). */
  readonly constraints?: Readonly<Record<string, ConstraintFactory>> | undefined;
}

export interface RouteTable<T> {
  /** The routes in matching order. */
  readonly entries: readonly RouteEntry<T>[];
  /** Warnings found while compiling: routes that can tie. */
  readonly issues: readonly ConfigIssue[];
  /** Never throws, whatever the bytes of the request. */
  match(request: RouteRequest): RouteMatchResult<T>;
}

/**
 * Compiles `routes`. Throws a `ConfigError` that holds everything wrong with them.
 */
export function compileRouteTable<T>(_routes: readonly RouteEntry<T>[], _options: RouteTableOptions = {}): RouteTable<T> {
  throw new Error("not yet compiled");
}
