import type { RouteConfig } from "@proxy/config";
import { compileRouteTable } from "@proxy/pipeline";
import type { RouteExplanation, RouteRequest, RouteTable } from "@proxy/pipeline";
import { FilesMissingError } from "../configuration/files-missing.ts";
import { inspectConfiguration } from "../configuration/inspect-configuration.ts";
import { escapeLogText } from "../logging/escape-log-text.ts";
import { issuesText } from "./check.ts";
import type { Output } from "./command-line.ts";
import { exitCode } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { RoutesInvocation } from "./invocation.ts";
import { parseRequestText, RequestTextError } from "./request-text.ts";
import { alignColumns } from "./text-table.ts";

/** Prints the route table in the order of matching, or what happens to one request. */
export async function routes(invocation: RoutesInvocation, output: Output): Promise<ExitCode> {
  try {
    const request =
      invocation.request === undefined ? undefined : parseRequestText(invocation.request, invocation.headers);
    const { config, issues } = await inspectConfiguration(invocation.files, {
      strict: invocation.strict,
      env: process.env,
      ignoreHost: true,
    });
    output.error(issuesText(issues));
    if (config === undefined) return exitCode.failed;
    const served = config.reverseProxy.routes.filter((route) => route.enabled !== false);
    const table = compileRouteTable(served.map((route) => ({ config: route, payload: undefined })));
    if (request === undefined) output.out(invocation.json ? json(tableJson(table)) : tableText(table));
    else output.out(invocation.json ? json(explanationJson(table, request)) : explanationText(table, request));
    return exitCode.ok;
  } catch (error) {
    if (!(error instanceof FilesMissingError) && !(error instanceof RequestTextError)) throw error;
    output.error(`gateway: ${error.message}\n`);
    return exitCode.usage;
  }
}

type Table = RouteTable<undefined>;

function tableText(table: Table): string {
  if (table.entries.length === 0) return "There are no routes: every request gets 404.\n";
  const rows = table.entries.map(({ config }, index) => [String(index + 1), config.routeId, matchText(config), `-> ${goal(config)}`]);
  return alignColumns([["#", "route", "match", ""], ...rows].map((row) => row.map(escapeLogText)));
}

function tableJson(table: Table): unknown {
  return table.entries.map(({ config }, index) => ({ position: index + 1, ...config }));
}

function explanationText(table: Table, request: RouteRequest): string {
  const explanations = table.explain(request);
  const winner = explanations.find(({ outcome }) => outcome === "wins");
  const head = `${request.method} ${request.scheme}://${request.authority}${request.path}${request.query}`;
  const verdict =
    winner === undefined ? withoutRoute(table, request) : `route '${winner.config.routeId}' -> ${goal(winner.config)}`;
  const rows = explanations.map((explanation, index) => [
    explanation.outcome === "wins" ? "=>" : "  ",
    String(index + 1),
    explanation.config.routeId,
    explanation.detail,
  ]);
  return `${escapeLogText(head)}\n${escapeLogText(verdict)}\n\n${alignColumns(rows.map((row) => row.map(escapeLogText)))}`;
}

function explanationJson(table: Table, request: RouteRequest): unknown {
  const explanations = table.explain(request);
  const result = table.match(request);
  return {
    request: {
      method: request.method,
      scheme: request.scheme,
      authority: request.authority,
      path: request.path,
      query: request.query,
    },
    result: result.kind,
    route: result.kind === "matched" ? result.config.routeId : undefined,
    values: result.kind === "matched" ? Object.fromEntries(result.values) : undefined,
    allow: result.kind === "method-not-allowed" ? result.allow : undefined,
    routes: explanations.map(({ config, ...explanation }: RouteExplanation, index) => ({
      position: index + 1,
      routeId: config.routeId,
      ...explanation,
    })),
  };
}

function withoutRoute(table: Table, request: RouteRequest): string {
  const result = table.match(request);
  return result.kind === "method-not-allowed" ? `no route: 405, Allow: ${result.allow}` : "no route: 404";
}

/** What becomes of the requests of a route. */
function goal(route: RouteConfig): string {
  if (route.respond !== undefined) return `answer ${route.respond.statusCode ?? 200}`;
  if (route.redirect !== undefined) return `redirect ${route.redirect.statusCode ?? 302} ${route.redirect.location}`;
  if (route.trafficSplit !== undefined) {
    const shares = Object.entries(route.trafficSplit.clusters).map(([id, weight]) => `'${id}' ${weight}`);
    return `clusters ${shares.join(", ")}`;
  }
  const files = route.staticFilesPolicy === undefined ? [] : [`files '${route.staticFilesPolicy}'`];
  if (route.clusterId !== undefined) return [...files, `cluster '${route.clusterId}'`].join(", else ");
  return files[0] ?? "no cluster: 503";
}

function matchText(route: RouteConfig): string {
  const { match } = route;
  const parts = [
    match.methods?.join("|"),
    match.hosts === undefined || match.hosts.length === 0 ? undefined : `host ${match.hosts.join("|")}`,
    match.path ?? "every path",
    ...(match.headers ?? []).map((rule) => `header ${rule.name} ${rule.mode ?? "ExactHeader"}${values(rule.values)}`),
    ...(match.queryParameters ?? []).map((rule) => `query ${rule.name} ${rule.mode ?? "Exact"}${values(rule.values)}`),
    route.order === undefined ? undefined : `order ${route.order}`,
  ];
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

function values(list: readonly string[] | undefined): string {
  return list === undefined || list.length === 0 ? "" : ` ${list.join("|")}`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
