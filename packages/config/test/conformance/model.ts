import type { ClusterConfig, ConfigIssue, ProxyConfig, RouteConfig } from "../../src/index.ts";
import { decodeSource } from "../../src/schema/decode-source.ts";
import { parseSource } from "../../src/schema/parse-source.ts";

export type Json = Record<string, unknown>;

export interface Decoded {
  readonly config: ProxyConfig;
  readonly issues: readonly ConfigIssue[];
}

/** A `ReverseProxy` section as the file reader understands it, structure only. */
export function decodeProxy(section: Json): Decoded {
  const source = parseSource(JSON.stringify({ ReverseProxy: section }), "case.json", "json");
  const { config, issues } = decodeSource(source);
  return { config: config.reverseProxy, issues: issues.filter((issue) => issue.severity === "error") };
}

/** The route of an object in the configuration's names, with its id inside; without `Match` there is none. */
export function routeOf(given: Json): RouteConfig {
  const { RouteId: id, ...rest } = given;
  const { config, issues } = decodeProxy({ Routes: { [String(id ?? "")]: rest } });
  if (issues.length > 0) throw new Error(issues.map((issue) => issue.message).join("; "));
  const route = config.routes[0] as RouteConfig;
  return "Match" in given ? route : ({ ...route, match: undefined } as unknown as RouteConfig);
}

export function clusterOf(given: Json): ClusterConfig {
  const { ClusterId: id, ...rest } = given;
  const { config, issues } = decodeProxy({ Clusters: { [String(id ?? "")]: rest } });
  if (issues.length > 0) throw new Error(issues.map((issue) => issue.message).join("; "));
  return config.clusters[0] as ClusterConfig;
}
