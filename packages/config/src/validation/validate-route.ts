import { longestTimer } from "../duration.ts";
import type { RouteConfig, RouteHeader, RouteMatch, RouteQueryParameter } from "../route-config.ts";
import { hostPatternFault } from "./host-pattern.ts";
import { IssueCollector, quoted } from "./issue-collector.ts";
import type { PolicyKind, PolicyNames } from "./known-policies.ts";
import type { ConfigIssue } from "../config-issue.ts";
import { validateAction } from "./validate-action.ts";
import { checkRetry } from "./validate-retry.ts";
import { validateTraffic } from "./validate-traffic.ts";

const methods = ["HEAD", "OPTIONS", "GET", "PUT", "POST", "PATCH", "DELETE", "TRACE"];
const catchAllHint = "to match every path, write Path: \"/{**catchall}\"";

/** All faults of one route that need no other part of the configuration. */
export function validateRoute(route: RouteConfig, policies: PolicyNames): readonly ConfigIssue[] {
  const found = new IssueCollector("route", route.routeId);
  if (!hasText(route.routeId)) found.error("missing-route-id", ["RouteId"], "a route has no id");
  checkPolicies(route, policies, found);
  checkTransforms(route, found);
  checkNumbers(route, found);
  validateAction(route, found);
  checkRetry(route.retry, found);
  validateTraffic(route, found);
  // Not by its type, but configurations also come from code without types.
  const match = route.match as RouteMatch | undefined;
  if (match === undefined || match === null) {
    found.error("match-missing", ["Match"], "a route needs a Match", { hint: catchAllHint });
    return found.issues;
  }
  checkHosts(match, found);
  checkMethods(match, found);
  for (const [index, header] of (match.headers ?? []).entries()) checkHeader(header, index, found);
  for (const [index, parameter] of (match.queryParameters ?? []).entries()) checkQueryParameter(parameter, index, found);
  return found.issues;
}

function hasText(text: string | null | undefined): text is string {
  return text !== undefined && text !== null && text !== "";
}

function checkHosts(match: RouteMatch, found: IssueCollector): void {
  const hosts = match.hosts ?? [];
  if (!hasText(match.path) && !hosts.some(hasText)) {
    found.error("host-or-path-required", ["Match"], "a match needs Hosts or a Path", { hint: catchAllHint });
  }
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const path = ["Match", "Hosts", index];
    if (!hasText(host)) {
      found.error("host-empty", path, "a host name is empty");
      continue;
    }
    if (host.toLowerCase().includes("xn--")) {
      found.error("host-punycode", path, `host '${quoted(host)}' is punycode`, { value: host, hint: "write the name in Unicode: ünicode instead of xn--nicode-2ya" });
      continue;
    }
    const fault = hostPatternFault(host);
    if (fault !== undefined) {
      found.error("host-invalid", path, `host '${quoted(host)}' is no host pattern: ${fault}`, {
        value: host,
        hint: "write host, host:port, *.suffix or *, the port optional or '*'",
      });
      continue;
    }
    const key = host.normalize("NFC").toLowerCase();
    if (seen.has(key)) found.warn("host-duplicate", path, `host '${quoted(host)}' stands twice`, { value: host });
    seen.add(key);
  }
}

function checkMethods(match: RouteMatch, found: IssueCollector): void {
  const seen = new Set<string>();
  for (const [index, method] of (match.methods ?? []).entries()) {
    const path = ["Match", "Methods", index];
    const name = String(method).toUpperCase();
    if (seen.has(name)) {
      found.error("method-duplicate", path, `method '${quoted(method)}' stands twice`, { value: method });
    } else if (!methods.includes(name)) {
      found.error("method-unsupported", path, `method '${quoted(method)}' cannot be routed`, { value: method, hint: `use one of ${methods.join(", ")}` });
    }
    seen.add(name);
  }
}

function checkHeader(header: RouteHeader | null, index: number, found: IssueCollector): void {
  const path = ["Match", "Headers", index];
  if (header === null || header === undefined) {
    found.error("header-null", path, "a header rule is null");
    return;
  }
  if (!hasText(header.name)) found.error("header-name-empty", [...path, "Name"], "a header rule has no Name");
  const mode = header.mode ?? "ExactHeader";
  const values = header.values ?? [];
  const label = `the header rule for '${quoted(header.name ?? "")}' with mode ${mode}`;
  if (mode === "Exists" || mode === "NotExists") {
    if (values.length > 0) found.error("header-values-not-allowed", [...path, "Values"], `${label} must not have Values`);
    return;
  }
  if (values.length === 0) found.error("header-values-missing", [...path, "Values"], `${label} needs Values`);
  checkValues("header-value-empty", values, path, label, found);
}

function checkQueryParameter(parameter: RouteQueryParameter | null, index: number, found: IssueCollector): void {
  const path = ["Match", "QueryParameters", index];
  if (parameter === null || parameter === undefined) {
    found.error("query-null", path, "a query parameter rule is null");
    return;
  }
  if (!hasText(parameter.name)) found.error("query-name-empty", [...path, "Name"], "a query parameter rule has no Name");
  const mode = parameter.mode ?? "Exact";
  const values = parameter.values ?? [];
  const label = `the query parameter rule for '${quoted(parameter.name ?? "")}' with mode ${mode}`;
  if (mode === "Exists") {
    if (values.length > 0) found.error("query-values-not-allowed", [...path, "Values"], `${label} must not have Values`);
    return;
  }
  if (values.length === 0) found.error("query-values-missing", [...path, "Values"], `${label} needs Values`);
  checkValues("query-value-empty", values, path, label, found);
}

function checkValues(code: string, values: readonly string[], path: readonly (string | number)[], label: string, found: IssueCollector): void {
  for (const [index, value] of values.entries()) {
    if (!hasText(value)) {
      found.error(code, [...path, "Values", index], `${label} has an empty value`, { hint: "use the mode Exists or NotExists for the presence alone" });
    }
  }
}

const routePolicies: readonly {
  readonly kind: PolicyKind;
  readonly member: "authorizationPolicy" | "rateLimiterPolicy" | "outputCachePolicy" | "timeoutPolicy" | "corsPolicy" | "accessPolicy" | "compressionPolicy" | "staticFilesPolicy";
  readonly name: string;
  /** Of `Policies`. */
  readonly section: string;
  readonly code: string;
}[] = [
  { kind: "authorization", member: "authorizationPolicy", name: "AuthorizationPolicy", section: "Authorization", code: "authorization-policy" },
  { kind: "rateLimiter", member: "rateLimiterPolicy", name: "RateLimiterPolicy", section: "RateLimiter", code: "rate-limiter-policy" },
  { kind: "outputCache", member: "outputCachePolicy", name: "OutputCachePolicy", section: "OutputCache", code: "output-cache-policy" },
  { kind: "timeout", member: "timeoutPolicy", name: "TimeoutPolicy", section: "Timeout", code: "timeout-policy" },
  { kind: "cors", member: "corsPolicy", name: "CorsPolicy", section: "Cors", code: "cors-policy" },
  { kind: "access", member: "accessPolicy", name: "AccessPolicy", section: "Access", code: "access-policy" },
  { kind: "compression", member: "compressionPolicy", name: "CompressionPolicy", section: "Compression", code: "compression-policy" },
  { kind: "staticFiles", member: "staticFilesPolicy", name: "StaticFilesPolicy", section: "StaticFiles", code: "static-files-policy" },
];

function checkPolicies(route: RouteConfig, policies: PolicyNames, found: IssueCollector): void {
  for (const { kind, member, name, section, code } of routePolicies) {
    const value = route[member];
    if (!hasText(value)) continue;
    const known = policies.isKnown(kind, value);
    if (policies.isReserved(kind, value)) {
      if (known) {
        found.error(`${code}-name-reserved`, [name], `the application registered a policy under the reserved name '${quoted(value)}'`, {
          value,
          hint: "register it under another name",
        });
      }
    } else if (!known) {
      const choices = policies.choices(kind);
      found.error(`${code}-unknown`, [name], `${name} '${quoted(value)}' is not known`, {
        value,
        hint: `${choices.length > 0 ? `known are ${choices.join(", ")}; others` : "policies"} stand in Policies:${section}, by name`,
      });
    }
  }
  if (hasText(route.timeoutPolicy) && route.timeout !== undefined && route.timeout !== null) {
    found.error("timeout-and-policy", ["Timeout"], `Timeout and TimeoutPolicy '${quoted(route.timeoutPolicy)}' exclude each other`);
  }
}

function checkNumbers(route: RouteConfig, found: IssueCollector): void {
  const { timeout, maxRequestBodySize } = route;
  if (timeout !== undefined && timeout !== null) {
    if (!(timeout > 0)) found.error("timeout-not-positive", ["Timeout"], "Timeout must be above 0", { value: timeout });
    else if (timeout > longestTimer) found.error("duration-too-long", ["Timeout"], "Timeout is longer than a timer can wait", { value: timeout, hint: "at most 24.20:31:23" });
  }
  if (maxRequestBodySize !== undefined && maxRequestBodySize !== null && !(maxRequestBodySize >= -1)) {
    found.error("max-request-body-size", ["MaxRequestBodySize"], "MaxRequestBodySize is below -1", { value: maxRequestBodySize, hint: "-1 is unlimited" });
  }
}

function checkTransforms(route: RouteConfig, found: IssueCollector): void {
  for (const [index, transform] of (route.transforms ?? []).entries()) {
    const path = ["Transforms", index];
    if (typeof transform !== "object" || transform === null || Object.keys(transform).length === 0) {
      found.error("transform-empty", path, "a transform has no keys");
      continue;
    }
    for (const [key, value] of Object.entries(transform)) {
      if (typeof value !== "string") found.error("transform-value", [...path, key], `the value of '${quoted(key)}' in a transform is no text`);
    }
  }
}
