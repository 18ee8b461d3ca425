/**
 * Routes that can tie: a request can match both, and nothing in the order of matching tells them apart but the
 * order of declaration. Finds them by sorting routes into buckets that must agree in everything that can be
 * compared by key, so that the work grows with the number of routes, not of pairs.
 */
import type { ConfigIssue } from "@proxy/config";
import type { CompiledRoute } from "./compiled-route.ts";
import { hostPatternKey } from "./host-pattern.ts";
import { foldCase } from "./path-text.ts";
import type { TemplateParameter } from "./route-template.ts";
import type { ValueRule } from "./value-rule.ts";

/** Within a bucket whose routes differ in rules only, a route is compared with this many before it. */
const maximumLookBack = 32;

/** A `route-tie` warning for each route that can tie with one declared before it. */
export function findTies(routes: readonly CompiledRoute[]): ConfigIssue[] {
  const buckets = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const shape = shapeKey(route);
    for (const method of route.methods ?? [""]) {
      for (const host of route.hosts.length === 0 ? [""] : route.hosts.map(hostPatternKey)) {
        addTo(buckets, `${shape} ${method} ${host}`, route);
      }
    }
  }
  const ties = new Map<CompiledRoute, CompiledRoute>();
  for (const bucket of buckets.values()) findIn(bucket, new Set(), ties);
  return [...ties].sort(([a], [b]) => a.declared - b.declared).map(([later, earlier]) => tieIssue(later, earlier));
}

function shapeKey(route: CompiledRoute): string {
  const path = route.template.segments.map(({ parts }) => {
    const [part] = parts;
    return parts.length === 1 && part?.kind === "literal" ? JSON.stringify(foldCase(part.text)) : "*";
  });
  return [route.order, route.template.precedence, path.join("/"), route.headers.length, route.query.length].join(" ");
}

function addTo(buckets: Map<string, CompiledRoute[]>, key: string, route: CompiledRoute): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) buckets.set(key, [route]);
  else bucket.push(route);
}

/** Looks for ties in `bucket`; `split` holds the rules by whose values it was divided already. */
function findIn(bucket: readonly CompiledRoute[], split: ReadonlySet<string>, ties: Map<CompiledRoute, CompiledRoute>): void {
  const [first] = bucket;
  if (first === undefined || bucket.length < 2) return;
  const name = exactNames(first).find((rule) => !split.has(rule) && bucket.every((route) => exactNames(route).includes(rule)));
  if (name !== undefined) {
    const byValue = new Map<string, CompiledRoute[]>();
    for (const route of bucket) for (const value of exactValues(route, name)) addTo(byValue, value, route);
    for (const group of byValue.values()) findIn(group, new Set([...split, name]), ties);
    return;
  }
  for (const [i, route] of bucket.entries()) {
    if (ties.has(route)) continue;
    // Where nothing but the shape counts, the first one ties with all others.
    for (let k = 0; k < i && k < maximumLookBack; k++) {
      const other = bucket[k] as CompiledRoute;
      if (areDisjoint(route, other)) continue;
      ties.set(route, other);
      break;
    }
  }
}

function exactNames(route: CompiledRoute): string[] {
  return [...exactRules(route)].map(([name]) => name);
}

function exactValues(route: CompiledRoute, name: string): readonly string[] {
  const rule = exactRules(route).get(name);
  // Folded, so that rules that differ in their regard for case can meet.
  return rule === undefined ? [] : [...new Set(rule.values.map(foldCase))];
}

function exactRules(route: CompiledRoute): Map<string, ValueRule> {
  const rules = new Map<string, ValueRule>();
  for (const rule of route.headers) if (rule.mode === "exact") rules.set(`header ${rule.key}`, rule);
  for (const rule of route.query) if (rule.mode === "exact") rules.set(`query ${rule.key}`, rule);
  return rules;
}

/** Whether no request can match both, as far as that shows. */
function areDisjoint(a: CompiledRoute, b: CompiledRoute): boolean {
  return rulesExclude(a.headers, b.headers) || rulesExclude(a.query, b.query) || pathsExclude(a, b);
}

function rulesExclude(left: readonly ValueRule[], right: readonly ValueRule[]): boolean {
  return left.some((a) => right.some((b) => a.key === b.key && (excludes(a, b) || excludes(b, a))));
}

function excludes(a: ValueRule, b: ValueRule): boolean {
  if (a.mode === "not-exists") return b.mode !== "not-exists" && b.mode !== "not-contains";
  if (a.mode !== "exact" || b.mode !== "exact") return false;
  const values = new Set(a.values.map(foldCase));
  return b.values.every((value) => !values.has(foldCase(value)));
}

const numbers = new Set(["int", "long", "min", "max", "range"]);
const words = new Set(["alpha", "bool", "file", "guid"]);

function pathsExclude(a: CompiledRoute, b: CompiledRoute): boolean {
  return a.template.segments.some(({ parts }, i) => {
    const [left] = parts;
    const others = b.template.segments[i]?.parts ?? [];
    const [right] = others;
    if (parts.length > 1 || others.length > 1) return complexExclude(literalsOf(parts), literalsOf(others));
    return left?.kind === "parameter" && right?.kind === "parameter" && constraintsExclude(left, right);
  });
}

function literalsOf(parts: readonly { readonly kind: string; readonly text?: string; readonly optionalSeparator?: boolean }[]): {
  first: string;
  last: string;
} {
  const end = (part: (typeof parts)[number] | undefined): string => (part?.kind === "literal" ? foldCase(part.text ?? "") : "");
  return { first: end(parts[0]), last: end(parts.at(-1)) };
}

/** Segments of several parts that begin or end with different text. */
function complexExclude(a: { first: string; last: string }, b: { first: string; last: string }): boolean {
  const begins = a.first.startsWith(b.first) || b.first.startsWith(a.first);
  const ends = a.last.endsWith(b.last) || b.last.endsWith(a.last);
  return !begins || !ends;
}

function constraintsExclude(a: TemplateParameter, b: TemplateParameter): boolean {
  const left = namesOf(a);
  const right = namesOf(b);
  const some = (names: readonly string[], set: ReadonlySet<string>): boolean => names.some((name) => set.has(name));
  if ((some(left, numbers) && some(right, words)) || (some(left, words) && some(right, numbers))) return true;
  return (left.includes("file") && right.includes("nonfile")) || (left.includes("nonfile") && right.includes("file"));
}

function namesOf(parameter: TemplateParameter): string[] {
  return parameter.constraints.map((text) => text.replace(/\(.*/s, "").toLowerCase());
}

function tieIssue(later: CompiledRoute, earlier: CompiledRoute): ConfigIssue {
  const [a, b] = [earlier.config.routeId, later.config.routeId].map((id) => JSON.stringify(id));
  return {
    code: "route-tie",
    severity: "warning",
    message: `routes ${a} and ${b} can match the same request and rank the same; ${a}, which is declared first, wins`,
    hint: "give one of them an Order, or make their matches differ",
    entity: { kind: "route", id: later.config.routeId },
    path: ["Match"],
    value: later.template.text.slice(0, 120),
  };
}
