import type { ConfigIssue, RouteConfig } from "@proxy/config";
import { ConstraintError } from "./constraint.ts";
import type { RouteConstraint } from "./constraint.ts";
import type { ConstraintCatalogue } from "./constraint-catalogue.ts";
import { compileHeaderRule } from "./header-rule.ts";
import type { HeaderRule } from "./header-rule.ts";
import { HostPatternError, parseHostPattern } from "./host-pattern.ts";
import type { HostPattern } from "./host-pattern.ts";
import { compileQueryRule } from "./query-rule.ts";
import type { ValueRule } from "./value-rule.ts";
import { parseTemplate, TemplateError } from "./route-template.ts";
import type { RouteTemplate } from "./route-template.ts";

/** One route of a table, ready to be tested. */
export interface CompiledRoute {
  readonly config: RouteConfig;
  readonly template: RouteTemplate;
  /** Place in declaration order. */
  readonly declared: number;
  readonly order: number;
  /** Upper case; undefined accepts every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** Accepts CORS preflights for its methods. */
  readonly cors: boolean;
  /** Each once; empty accepts every host. */
  readonly hosts: readonly HostPattern[];
  readonly headers: readonly HeaderRule[];
  readonly query: readonly ValueRule[];
  /** What the shape of the path leaves to be checked, by segment. Undefined: nothing. */
  readonly checks: readonly SegmentCheck[] | undefined;
  /** Place in matching order; set once the table is sorted. */
  rank: number;
}

/** Constraints, and segments of several parts. */
export interface SegmentCheck {
  readonly segment: number;
  readonly complex: boolean;
  /** By part of the segment. */
  readonly constraints: readonly (readonly RouteConstraint[])[];
}

/** The path of a route that names none. */
export const defaultPath = "/{**catchall}";

/** Compiles `config`; what is wrong with it is added to `issues`, and then there is no route. */
export function compileRoute(
  config: RouteConfig,
  declared: number,
  catalogue: ConstraintCatalogue,
  issues: ConfigIssue[],
): CompiledRoute | undefined {
  if (!isReadable(config)) {
    const message = `the match of route ${JSON.stringify(config.routeId)} has a hole or is missing`;
    issues.push(issueOf(config, "match-invalid", message, ["Match"], "", undefined));
    return undefined;
  }
  const before = issues.length;
  const { match } = config;
  const template = compileTemplate(config, issues);
  const checks = template === undefined ? [] : compileChecks(config, template, catalogue, issues);
  const hosts = compileHosts(config, issues);
  issues.push(...emptyValues(config, "Headers"), ...emptyValues(config, "QueryParameters"));
  if (template === undefined || issues.length > before) return undefined;
  const methods = match.methods ?? [];
  return {
    config,
    template,
    declared,
    order: config.order ?? 0,
    methods: methods.length > 0 ? new Set(methods.map((method) => method.toUpperCase())) : undefined,
    cors: config.corsPolicy !== undefined && config.corsPolicy !== "",
    hosts,
    headers: (match.headers ?? []).map(compileHeaderRule),
    query: (match.queryParameters ?? []).map(compileQueryRule),
    checks: checks.length > 0 ? checks : undefined,
    rank: 0,
  };
}

/**
 * The order in which routes are tried: `order`, precedence of the path, methods before none, hosts before none,
 * more header rules, more query rules. 0 is a tie.
 */
export function compareRoutes(a: CompiledRoute, b: CompiledRoute): number {
  if (a.order !== b.order) return a.order - b.order;
  const left = a.template.precedence;
  const right = b.template.precedence;
  if (left !== right) return left < right ? -1 : 1;
  return (
    Number(a.methods === undefined) - Number(b.methods === undefined) ||
    Number(a.hosts.length === 0) - Number(b.hosts.length === 0) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length
  );
}

/** Whether the configuration holds what its type says: code may hand in what a file could not. */
function isReadable({ match }: RouteConfig): boolean {
  const named = (rule: { readonly name: string } | null): boolean => typeof rule?.name === "string" && rule.name !== "";
  return (
    typeof match === "object" &&
    match !== null &&
    (match.hosts ?? []).every((host) => typeof host === "string") &&
    (match.methods ?? []).every((method) => typeof method === "string") &&
    (match.headers ?? []).every(named) &&
    (match.queryParameters ?? []).every(named)
  );
}

function compileTemplate(config: RouteConfig, issues: ConfigIssue[]): RouteTemplate | undefined {
  const path = config.match.path;
  try {
    return parseTemplate(path === undefined || path === "" ? defaultPath : path);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const message = `invalid path ${JSON.stringify(shorten(error.template))} for route ${JSON.stringify(config.routeId)}: ${error.message}`;
    issues.push(issueOf(config, "path-invalid", message, ["Match", "Path"], error.template, "a path looks like /api/{id:int}/{**rest}"));
    return undefined;
  }
}

function compileChecks(
  config: RouteConfig,
  template: RouteTemplate,
  catalogue: ConstraintCatalogue,
  issues: ConfigIssue[],
): SegmentCheck[] {
  const checks: SegmentCheck[] = [];
  for (const [segment, { parts }] of template.segments.entries()) {
    const complex = parts.length > 1;
    const constraints = parts.map((part) => {
      const made: RouteConstraint[] = [];
      for (const text of part.kind === "parameter" ? part.constraints : []) {
        const constraint = resolve(config, text, catalogue, issues);
        if (constraint !== undefined) made.push(constraint);
      }
      return made;
    });
    if (complex || constraints.some((some) => some.length > 0)) checks.push({ segment, complex, constraints });
  }
  return checks;
}

function resolve(
  config: RouteConfig,
  text: string,
  catalogue: ConstraintCatalogue,
  issues: ConfigIssue[],
): RouteConstraint | undefined {
  try {
    return catalogue.resolve(text);
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    const message = `route ${JSON.stringify(config.routeId)}: ${error.message}`;
    issues.push(issueOf(config, error.code, message, ["Match", "Path"], text, error.hint));
    return undefined;
  }
}

function compileHosts(config: RouteConfig, issues: ConfigIssue[]): HostPattern[] {
  const hosts = new Map<string, HostPattern>();
  for (const [index, text] of (config.match.hosts ?? []).entries()) {
    try {
      const pattern = parseHostPattern(text);
      hosts.set(`${pattern.kind}${pattern.wireName}:${pattern.port ?? ""}`, pattern);
    } catch (error) {
      if (!(error instanceof HostPatternError)) throw error;
      const message = `route ${JSON.stringify(config.routeId)}: ${error.message}`;
      issues.push(issueOf(config, "host-invalid", message, ["Match", "Hosts", index], text, error.hint));
    }
  }
  return [...hosts.values()];
}

/** An empty value equals nothing and is part of everything: no rule can mean it. */
function emptyValues(config: RouteConfig, kind: "Headers" | "QueryParameters"): ConfigIssue[] {
  const rules = (kind === "Headers" ? config.match.headers : config.match.queryParameters) ?? [];
  const code = kind === "Headers" ? "header-value-empty" : "query-value-empty";
  return rules.flatMap((rule, index) =>
    (rule.values ?? []).flatMap((value, place) => {
      if (value !== "") return [];
      const message = `route ${JSON.stringify(config.routeId)}: the rule for ${JSON.stringify(rule.name)} has an empty value`;
      const hint = "remove it, or use the mode Exists";
      return [issueOf(config, code, message, ["Match", kind, index, "Values", place], value, hint)];
    }),
  );
}

function issueOf(
  config: RouteConfig,
  code: string,
  message: string,
  path: readonly (string | number)[],
  value: string,
  hint: string | undefined,
): ConfigIssue {
  return { code, severity: "error", message, hint, entity: { kind: "route", id: config.routeId }, path, value: shorten(value) };
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
