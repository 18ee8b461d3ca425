/**
 * One look-up in a table:
 *
 * 1. walk the trie and note every leaf whose shape fits the path: a literal, a parameter and a catch-all may
 *    all fit, and order or host can put any of them first;
 * 2. if a leaf distinguishes hosts, take the host patterns that the request meets, the most specific first, and
 *    stay with the first that a route with fitting method and path has; routes for every host compete there too;
 * 3. the best route by rank whose method, constraints, headers and query fit wins;
 * 4. without a winner, tell a method that is not allowed from a path that is not known.
 *
 * The state is kept between look-ups so that none has to allocate it.
 */
import type { CompiledRoute, SegmentCheck } from "./compiled-route.ts";
import { matchComplexSegment } from "./complex-segment.ts";
import { elementsOf, headerRuleHolds } from "./header-rule.ts";
import type { HostIndex } from "./host-index.ts";
import { methodAccepted } from "./method-rule.ts";
import { splitPath } from "./path-segments.ts";
import type { PathSegments } from "./path-segments.ts";
import { decodePathText, foldCase } from "./path-text.ts";
import { parseQuery, queryRuleHolds } from "./query-rule.ts";
import type { QueryValues } from "./query-rule.ts";
import type { RouteList, RuleSplit } from "./route-list.ts";
import type { RouteRequest } from "./route-table.ts";
import type { RouteLeaf, TrieNode } from "./route-trie.ts";
import type { TemplateParameter } from "./route-template.ts";

/** The trie and what is needed to search it. */
export interface SearchPlan {
  readonly root: TrieNode;
  readonly hosts: HostIndex;
  /** Segments of the longest template. */
  readonly maximumSegments: number;
}

export class RouteSearch {
  readonly #plan: SearchPlan;
  readonly #pieces: PathSegments = { count: 0, begins: [], ends: [] };
  /** Folded text of each segment, as far as it was needed. */
  readonly #keys: (string | undefined)[] = [];
  readonly #leaves: RouteLeaf[] = [];
  readonly #hostNumbers: number[] = [];
  #leafCount = 0;
  #path = "";
  #query: QueryValues | undefined;
  /** Trie nodes looked at in the last search. */
  visits = 0;
  /** Routes tested in the last search. */
  tests = 0;
  busy = false;

  constructor(plan: SearchPlan) {
    this.#plan = plan;
  }

  /** The route that wins, the methods there are (sorted), or undefined. */
  find(request: RouteRequest): CompiledRoute | string[] | undefined {
    this.busy = true;
    this.#begin(request);
    try {
      this.#collect(this.#plan.root, 0);
      if (this.#leafCount === 0) return undefined;
      return this.#winner(request) ?? this.#allowedMethods(request);
    } finally {
      this.#query = undefined;
      this.#path = "";
      this.busy = false;
    }
  }

  #begin(request: RouteRequest): void {
    this.#path = request.path;
    this.#leafCount = 0;
    this.visits = 0;
    this.tests = 0;
    splitPath(request.path, this.#plan.maximumSegments + 1, this.#pieces);
    for (let i = 0; i < this.#pieces.count; i++) this.#keys[i] = undefined;
  }

  #collect(node: TrieNode, depth: number): void {
    this.visits++;
    if (depth === this.#pieces.count) {
      if (node.leaf !== undefined) this.#leaves[this.#leafCount++] = node.leaf;
    } else if (this.#pieces.ends[depth] !== this.#pieces.begins[depth]) {
      if (node.literals !== undefined) {
        const child = node.literals.get(this.#key(depth));
        if (child !== undefined) this.#collect(child, depth + 1);
      }
      if (node.parameter !== undefined) this.#collect(node.parameter, depth + 1);
    }
    if (node.catchAll !== undefined) this.#leaves[this.#leafCount++] = node.catchAll;
  }

  #key(depth: number): string {
    return (this.#keys[depth] ??= foldCase(decodePathText(this.#segment(depth))));
  }

  #segment(index: number): string {
    return this.#path.slice(this.#pieces.begins[index], this.#pieces.ends[index]);
  }

  #winner(request: RouteRequest): CompiledRoute | undefined {
    if (this.#resolveHosts(request)) {
      for (const host of this.#hostNumbers) {
        if (this.#hostDecides(host, request)) return this.#best(host, request);
      }
    }
    return this.#best(-1, request);
  }

  /** Whether any leaf distinguishes hosts; fills the host numbers then. */
  #resolveHosts(request: RouteRequest): boolean {
    for (let i = 0; i < this.#leafCount; i++) {
      if ((this.#leaves[i] as RouteLeaf).byHost === undefined) continue;
      this.#plan.hosts.resolve(request.authority, request.scheme, this.#hostNumbers);
      return true;
    }
    return false;
  }

  #hostDecides(host: number, request: RouteRequest): boolean {
    for (let i = 0; i < this.#leafCount; i++) {
      const list = (this.#leaves[i] as RouteLeaf).byHost?.get(host);
      if (list === undefined || !methodAccepted(list.methods, list.cors, request)) continue;
      if (!list.checked) return true;
      for (const route of list.routes) {
        if (methodAccepted(route.methods, route.cors, request) && this.#pathHolds(route)) return true;
      }
    }
    return false;
  }

  #best(host: number, request: RouteRequest): CompiledRoute | undefined {
    let best: CompiledRoute | undefined;
    for (let i = 0; i < this.#leafCount; i++) {
      const leaf = this.#leaves[i] as RouteLeaf;
      best = this.#firstOf(leaf.everyHost, request, best);
      if (host >= 0 && leaf.byHost !== undefined) best = this.#firstOf(leaf.byHost.get(host), request, best);
    }
    return best;
  }

  #firstOf(list: RouteList | undefined, request: RouteRequest, best: CompiledRoute | undefined): CompiledRoute | undefined {
    if (list === undefined) return best;
    if (list.split !== undefined) {
      if (!methodAccepted(list.methods, list.cors, request)) return best;
      return this.#firstOfSplit(list.split, request, best);
    }
    const { routes } = list;
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i] as CompiledRoute;
      if (best !== undefined && route.rank > best.rank) return best;
      this.tests++;
      if (this.#holds(route, request)) return route;
    }
    return best;
  }

  /** Only the routes that name a value of the request, and those that name none, are tested. */
  #firstOfSplit(split: RuleSplit, request: RouteRequest, found: CompiledRoute | undefined): CompiledRoute | undefined {
    let best = this.#firstOf(split.rest, request, found);
    if (split.source === "query") {
      this.#query ??= parseQuery(request.query);
      for (const value of this.#query.get(split.key) ?? []) {
        best = this.#firstOf(split.byValue.get(foldCase(value)), request, best);
      }
      return best;
    }
    const { headers } = request;
    for (let i = headers.indexOf(split.key); i >= 0; i = headers.indexOf(split.key, i + 1)) {
      for (const element of elementsOf(headers.valueAt(i), split.separator)) {
        best = this.#firstOf(split.byValue.get(foldCase(element)), request, best);
      }
    }
    return best;
  }

  #holds(route: CompiledRoute, request: RouteRequest): boolean {
    if (!methodAccepted(route.methods, route.cors, request)) return false;
    if (!this.#pathHolds(route)) return false;
    for (const rule of route.headers) if (!headerRuleHolds(rule, request.headers)) return false;
    if (route.query.length === 0) return true;
    this.#query ??= parseQuery(request.query);
    for (const rule of route.query) if (!queryRuleHolds(rule, this.#query)) return false;
    return true;
  }

  #pathHolds(route: CompiledRoute): boolean {
    if (route.checks === undefined) return true;
    for (const check of route.checks) if (!this.#checkHolds(route, check)) return false;
    return true;
  }

  #checkHolds(route: CompiledRoute, check: SegmentCheck): boolean {
    const parts = route.template.segments[check.segment]?.parts ?? [];
    const present = check.segment < this.#pieces.count;
    if (check.complex) {
      const text = decodePathText(this.#segment(check.segment));
      const found = matchComplexSegment(parts, text);
      if (found === undefined) return false;
      return check.constraints.every((constraints, i) => {
        const begin = found[i * 2] as number;
        if (constraints.length === 0 || begin < 0) return true;
        const value = text.slice(begin, found[i * 2 + 1]);
        return constraints.every((accepts) => accepts(value));
      });
    }
    const parameter = parts[0] as TemplateParameter;
    let value: string | null = parameter.default ?? null;
    if (present) {
      const raw = parameter.catchAll ? this.#path.slice(this.#pieces.begins[check.segment]) : this.#segment(check.segment);
      value = decodePathText(raw);
    } else if (parameter.optional) {
      return true;
    }
    for (const accepts of check.constraints[0] ?? []) if (!accepts(value)) return false;
    return true;
  }

  /** The methods of all routes that have the path and the host, unless one of them takes this method. */
  #allowedMethods(request: RouteRequest): string[] | undefined {
    const methods = new Set<string>();
    for (let i = 0; i < this.#leafCount; i++) {
      const { everyHost, byHost } = this.#leaves[i] as RouteLeaf;
      if (!this.#addMethods(everyHost, request, methods)) return undefined;
      if (byHost === undefined) continue;
      for (const host of this.#hostNumbers) {
        if (!this.#addMethods(byHost.get(host), request, methods)) return undefined;
      }
    }
    return methods.size > 0 ? [...methods].sort() : undefined;
  }

  /** False when a route of `list` takes the request's method. */
  #addMethods(list: RouteList | undefined, request: RouteRequest, methods: Set<string>): boolean {
    if (list === undefined) return true;
    if (methodAccepted(list.methods, false, request)) return false;
    if (!list.cors && !list.checked) {
      for (const method of list.methods ?? []) methods.add(method);
      return true;
    }
    for (const route of list.routes) {
      if (methodAccepted(route.methods, route.cors, request)) return false;
      if (route.methods === undefined || !this.#pathHolds(route)) continue;
      for (const method of route.methods) methods.add(method);
    }
    return true;
  }
}
