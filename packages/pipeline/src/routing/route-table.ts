import { ConfigError } from "@proxy/config";
import type { ConfigIssue, RouteConfig } from "@proxy/config";
import type { HeaderList } from "@proxy/http";
import { compareRoutes, compileRoute } from "./compiled-route.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { ConstraintFactory } from "./constraint.ts";
import { ConstraintCatalogue } from "./constraint-catalogue.ts";
import { HostIndex } from "./host-index.ts";
import { explainRoutes } from "./route-explanation.ts";
import type { RouteExplanation } from "./route-explanation.ts";
import { RouteSearch } from "./route-search.ts";
import type { SearchPlan } from "./route-search.ts";
import { findTies } from "./route-ties.ts";
import { buildTrie } from "./route-trie.ts";
import { captureValues, routeValuesOf } from "./route-values.ts";
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

/** The route that gets the request, with what was kept for it. */
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

/** Where a request belongs, or why nowhere: 404 or 405. */
export type RouteMatchResult<T> = RouteMatched<T> | RouteNotFound | RouteMethodNotAllowed;

export interface RouteTableOptions {
  /** Constraints beside the built-in ones, by name (ignoring case); they win over those. */
  readonly constraints?: Readonly<Record<string, ConstraintFactory>> | undefined;
}

/** Routes compiled for matching. Immutable. */
export interface RouteTable<T> {
  /** The routes in the order in which they are tried. */
  readonly entries: readonly RouteEntry<T>[];
  /** Warnings: `route-tie`, two routes that can tie; the one declared first wins. */
  readonly issues: readonly ConfigIssue[];
  /** The work of the last match, for tests and benchmarks: trie nodes looked at, routes tested. */
  readonly lastWork: { readonly visits: number; readonly tests: number };
  /** Finds the route of a request. Never throws, whatever its bytes. */
  match(request: RouteRequest): RouteMatchResult<T>;
  /** Says of every route, in matching order, whether it wins and if not why not. Slow; for people. */
  explain(request: RouteRequest): readonly RouteExplanation[];
}

/** Compiles `routes`, which need unique ids. Throws a `ConfigError` that holds everything wrong with them. */
export function compileRouteTable<T>(routes: readonly RouteEntry<T>[], options: RouteTableOptions = {}): RouteTable<T> {
  const catalogue = new ConstraintCatalogue(options.constraints);
  const issues: ConfigIssue[] = [];
  const compiled: CompiledRoute[] = [];
  for (const [index, { config }] of routes.entries()) {
    const route = compileRoute(config, index, catalogue, issues);
    if (route !== undefined) compiled.push(route);
  }
  if (issues.length > 0) throw new ConfigError(`${issues.length} error(s) in the routes`, issues);
  return new CompiledRouteTable(routes, sortRoutes(compiled));
}

/** Sorts into matching order, ties by declaration, and numbers the routes. */
export function sortRoutes(routes: CompiledRoute[]): CompiledRoute[] {
  routes.sort((a, b) => compareRoutes(a, b) || a.declared - b.declared);
  for (const [rank, route] of routes.entries()) route.rank = rank;
  return routes;
}

const notFound: RouteNotFound = Object.freeze({ kind: "not-found" });

class CompiledRouteTable<T> implements RouteTable<T> {
  readonly entries: readonly RouteEntry<T>[];
  readonly issues: readonly ConfigIssue[];
  readonly #routes: readonly CompiledRoute[];
  readonly #plan: SearchPlan;
  readonly #search: RouteSearch;

  constructor(declared: readonly RouteEntry<T>[], sorted: readonly CompiledRoute[]) {
    this.#routes = sorted;
    this.entries = sorted.map((route) => declared[route.declared] as RouteEntry<T>);
    this.issues = findTies(sorted);
    const hosts = new HostIndex();
    const root = buildTrie(sorted, hosts);
    const maximumSegments = sorted.reduce((most, { template }) => Math.max(most, template.segments.length), 0);
    this.#plan = { root, hosts, maximumSegments };
    this.#search = new RouteSearch(this.#plan);
  }

  get lastWork(): { readonly visits: number; readonly tests: number } {
    return { visits: this.#search.visits, tests: this.#search.tests };
  }

  match(request: RouteRequest): RouteMatchResult<T> {
    // A constraint of a user may ask the table again while it is being searched.
    const search = this.#search.busy ? new RouteSearch(this.#plan) : this.#search;
    const found = search.find(request);
    if (found === undefined) return notFound;
    if (Array.isArray(found)) return { kind: "method-not-allowed", allow: found.join(", ") };
    return new Match(this.entries[found.rank] as RouteEntry<T>, found, request.path);
  }

  explain(request: RouteRequest): readonly RouteExplanation[] {
    return explainRoutes(this.#routes, request);
  }
}

const noValues: RouteValues = routeValuesOf([]);

class Match<T> implements RouteMatched<T> {
  readonly kind = "matched";
  readonly config: RouteConfig;
  readonly payload: T;
  readonly #route: CompiledRoute;
  readonly #path: string;
  #values: RouteValues | undefined;

  constructor(entry: RouteEntry<T>, route: CompiledRoute, path: string) {
    this.config = entry.config;
    this.payload = entry.payload;
    this.#route = route;
    this.#path = path;
  }

  get values(): RouteValues {
    return (this.#values ??= captureValues(this.#route.template, this.#path) ?? noValues);
  }
}
