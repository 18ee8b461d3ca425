import type { CompiledRoute } from "./compiled-route.ts";
import type { ValueRule } from "./value-rule.ts";
import { foldCase } from "./path-text.ts";

/** Routes of one shape and host, prepared so that many of them cost no more than a few. */
export interface RouteList {
  /** In matching order. */
  readonly routes: readonly CompiledRoute[];
  /** The methods of all routes; undefined when one accepts every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** Whether a route accepts CORS preflights. */
  readonly cors: boolean;
  /** Whether a route has constraints or segments of several parts. */
  readonly checked: boolean;
  /** How a long list is divided. */
  readonly split: RuleSplit | undefined;
}

/** A long list divided by a header or query parameter that many of its routes name exact values of. */
export interface RuleSplit {
  readonly source: "header" | "query";
  readonly key: string;
  /** What elements of the header are separated by. */
  readonly separator: string;
  /** By folded value. A route stands at each of its values. */
  readonly byValue: ReadonlyMap<string, RouteList>;
  /** The routes that name no values. */
  readonly rest: RouteList;
}

/** Up to this length a list is tried route by route. */
const shortList = 16;

/** Prepares `routes`, which must be in matching order. */
export function prepareList(routes: readonly CompiledRoute[], used: ReadonlySet<string> = new Set()): RouteList {
  const [only] = routes;
  const methods =
    only !== undefined && routes.length === 1
      ? only.methods
      : routes.some((route) => route.methods === undefined)
        ? undefined
        : new Set(routes.flatMap((route) => [...(route.methods ?? [])]));
  return {
    routes,
    methods,
    cors: routes.some((route) => route.cors),
    checked: routes.some((route) => route.checks !== undefined),
    split: routes.length > shortList ? splitList(routes, used) : undefined,
  };
}

function splitList(routes: readonly CompiledRoute[], used: ReadonlySet<string>): RuleSplit | undefined {
  const name = commonName(routes, used);
  if (name === undefined) return undefined;
  const byValue = new Map<string, CompiledRoute[]>();
  const rest: CompiledRoute[] = [];
  for (const route of routes) {
    const rule = exactRules(route).find(([one]) => one === name)?.[1];
    if (rule === undefined) rest.push(route);
    for (const value of new Set(rule?.values.map(foldCase))) {
      const known = byValue.get(value);
      if (known === undefined) byValue.set(value, [route]);
      else known.push(route);
    }
  }
  const source = name.startsWith("header ") ? "header" : "query";
  const key = name.slice(name.indexOf(" ") + 1);
  const next = new Set([...used, name]);
  return {
    source,
    key,
    separator: key === "cookie" ? ";" : ",",
    byValue: new Map([...byValue].map(([value, some]) => [value, prepareList(some, next)])),
    rest: prepareList(rest, next),
  };
}

/** The header or parameter that most routes, and more than a few, name exact values of. */
function commonName(routes: readonly CompiledRoute[], used: ReadonlySet<string>): string | undefined {
  const counts = new Map<string, number>();
  for (const route of routes) {
    for (const [name] of exactRules(route)) if (!used.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  return best !== undefined && best[1] > shortList ? best[0] : undefined;
}

function exactRules(route: CompiledRoute): (readonly [name: string, rule: ValueRule])[] {
  // Lines are compared as bytes here; a rule beyond ASCII reads them as UTF-8.
  const headers = route.headers.filter((rule) => rule.mode === "exact" && !rule.unicode);
  const query = route.query.filter((rule) => rule.mode === "exact");
  return [
    ...headers.map((rule) => [`header ${rule.key}`, rule] as const),
    ...query.map((rule) => [`query ${rule.key}`, rule] as const),
  ];
}
