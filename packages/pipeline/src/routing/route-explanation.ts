import type { RouteConfig } from "@proxy/config";
import type { CompiledRoute } from "./compiled-route.ts";
import { headerRuleHolds } from "./header-rule.ts";
import { HostIndex } from "./host-index.ts";
import { methodAccepted } from "./method-rule.ts";
import { parseQuery, queryRuleHolds } from "./query-rule.ts";
import type { RouteRequest } from "./route-table.ts";
import { captureValues } from "./route-values.ts";
import type { RouteValues } from "./route-values.ts";

/** Why a route gets a request, or which of its parts does not hold. */
export type RouteOutcome =
  /** This route gets the request. */
  | "wins"
  /** The path has another shape, or a constraint does not accept a value. */
  | "path"
  | "method"
  | "host"
  /** A header rule does not hold; `rule` says which. */
  | "header"
  /** A query rule does not hold; `rule` says which. */
  | "query"
  /** It would match, but another route comes first: `by`. */
  | "shadowed"
  /** It would match, but a route with a more specific host has this path: `by`. */
  | "less-specific-host";

export interface RouteExplanation {
  readonly config: RouteConfig;
  readonly outcome: RouteOutcome;
  /** For `header` and `query`: the index of the rule, from 0. */
  readonly rule?: number | undefined;
  /** For `shadowed` and `less-specific-host`: the id of the other route. */
  readonly by?: string | undefined;
  /** One line for people. */
  readonly detail: string;
}

interface Verdict {
  readonly route: CompiledRoute;
  outcome: RouteOutcome;
  rule?: number;
  by?: string;
  detail: string;
  /** Place of its best host among the patterns that the request meets; Infinity for every host. */
  host: number;
}

/** Tests `routes`, which are in matching order, one by one. Finds the same winner as a search, on another way. */
export function explainRoutes(routes: readonly CompiledRoute[], request: RouteRequest): readonly RouteExplanation[] {
  const verdicts = routes.map((route) => reach(route, request));
  const reached = verdicts.filter(({ outcome }) => outcome === "wins");
  const most = Math.min(...reached.map(({ host }) => host));
  const decider = reached.find(({ host }) => host === most);
  let winner: CompiledRoute | undefined;
  for (const verdict of reached) {
    if (verdict.host !== most && verdict.host !== Infinity && decider !== undefined) {
      verdict.outcome = "less-specific-host";
      verdict.by = decider.route.config.routeId;
      verdict.detail = `route ${JSON.stringify(verdict.by)} has this path for a more specific host`;
      continue;
    }
    testRules(verdict, request);
    if (verdict.outcome !== "wins") continue;
    if (winner === undefined) {
      winner = verdict.route;
      continue;
    }
    verdict.outcome = "shadowed";
    verdict.by = winner.config.routeId;
    verdict.detail = `route ${JSON.stringify(verdict.by)} comes first`;
  }
  return verdicts.map(({ route, outcome, rule, by, detail }) => ({ config: route.config, outcome, rule, by, detail }));
}

/** Path, method and host. */
function reach(route: CompiledRoute, request: RouteRequest): Verdict {
  const verdict: Verdict = { route, outcome: "wins", detail: "this route gets the request", host: Infinity };
  const fail = (outcome: RouteOutcome, detail: string): Verdict => Object.assign(verdict, { outcome, detail });
  const values = captureValues(route.template, request.path);
  if (values === undefined) return fail("path", `path is not of the form ${route.template.text}`);
  const refused = refusedParameter(route, values);
  if (refused !== undefined) return fail("path", `value of ${JSON.stringify(refused)} is not accepted by its constraints`);
  if (route.hosts.length > 0) {
    verdict.host = hostPlace(route, request);
    if (verdict.host < 0) return fail("host", `host is not one of ${(route.config.match.hosts ?? []).join(", ")}`);
  }
  if (methodAccepted(route.methods, route.cors, request)) return verdict;
  return fail("method", `method is not one of ${[...(route.methods ?? [])].join(", ")}`);
}

function refusedParameter(route: CompiledRoute, values: RouteValues): string | undefined {
  const captured = new Map([...values].map(([name, value]) => [name, value]));
  for (const check of route.checks ?? []) {
    for (const [i, part] of (route.template.segments[check.segment]?.parts ?? []).entries()) {
      if (part.kind !== "parameter" || !captured.has(part.name)) continue;
      const value = captured.get(part.name) ?? null;
      if (!(check.constraints[i] ?? []).every((accepts) => accepts(value))) return part.name;
    }
  }
  return undefined;
}

/** 0 is the most specific kind of pattern. -1: no pattern fits. */
function hostPlace(route: CompiledRoute, request: RouteRequest): number {
  const places = route.hosts.flatMap((pattern) => {
    const index = new HostIndex();
    index.add(pattern);
    const found: number[] = [];
    index.resolve(request.authority, request.scheme, found);
    if (found.length === 0) return [];
    const kind = { exact: 0, wildcard: 2, any: 4 }[pattern.kind] + (pattern.port === undefined ? 1 : 0);
    // Among wildcards the longer suffix is the more specific.
    return [kind - (pattern.kind === "wildcard" ? pattern.wireName.length / 10_000 : 0)];
  });
  return places.length === 0 ? -1 : Math.min(...places);
}

function testRules(verdict: Verdict, request: RouteRequest): void {
  const { headers, query, config } = verdict.route;
  const header = headers.findIndex((rule) => !headerRuleHolds(rule, request.headers));
  if (header >= 0) {
    const rule = config.match.headers?.[header];
    Object.assign(verdict, {
      outcome: "header",
      rule: header,
      detail: `header rule ${header + 1} does not hold: ${rule?.name ?? ""} ${rule?.mode ?? "ExactHeader"} ${(rule?.values ?? []).join(" | ")}`.trimEnd(),
    });
    return;
  }
  if (query.length === 0) return;
  const values = parseQuery(request.query);
  const parameter = query.findIndex((rule) => !queryRuleHolds(rule, values));
  if (parameter < 0) return;
  const rule = config.match.queryParameters?.[parameter];
  Object.assign(verdict, {
    outcome: "query",
    rule: parameter,
    detail: `query rule ${parameter + 1} does not hold: ${rule?.name ?? ""} ${rule?.mode ?? "Exact"} ${(rule?.values ?? []).join(" | ")}`.trimEnd(),
  });
}
