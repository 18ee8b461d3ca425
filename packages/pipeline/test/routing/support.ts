import type { RouteConfig, RouteMatch } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { compileRouteTable } from "../../src/routing/index.ts";
import type { RouteRequest, RouteTable, RouteTableOptions } from "../../src/routing/index.ts";

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly scheme?: "http" | "https";
  readonly authority?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export function requestOf(parts: RequestParts = {}): RouteRequest {
  return {
    method: parts.method ?? "GET",
    path: parts.path ?? "/",
    query: parts.query ?? "",
    scheme: parts.scheme ?? "http",
    authority: parts.authority ?? "localhost",
    headers: HeaderList.from(parts.headers ?? []),
  };
}

export function route(routeId: string, match: RouteMatch, rest: Partial<RouteConfig> = {}): RouteConfig {
  return { routeId, match, ...rest };
}

/** A table whose payload is the route's id. */
export function tableOf(routes: readonly RouteConfig[], options: RouteTableOptions = {}): RouteTable<string> {
  return compileRouteTable(
    routes.map((config) => ({ config, payload: config.routeId })),
    options,
  );
}

/** The id of the route that a request gets, or null. */
export function winnerOf(table: RouteTable<string>, parts: RequestParts): string | null {
  const result = table.match(requestOf(parts));
  return result.kind === "matched" ? result.payload : null;
}

/** A decoded path as it would be on the wire. */
export function encodePath(path: string): string {
  return path
    .split("/")
    .map((segment) => encodeURIComponent(segment).replaceAll("%3A", ":"))
    .join("/");
}
