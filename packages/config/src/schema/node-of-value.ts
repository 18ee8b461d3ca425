import type { ConfigNode, ConfigSource } from "./config-node.ts";
import { maxDepth } from "./config-node.ts";
import { fatal } from "./read-text.ts";

/**
 * The tree of what a module exports: the whole gateway (`urls`, `server`, `reverseProxy`, …) or only the proxy (`routes`,
 * `clusters`). Routes and clusters may be lists with their ids inside, as `defineConfig` gives them. Throws `ConfigError` for
 * what is no data.
 */
export function sourceOfValue(value: unknown, name: string): ConfigSource {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fatal(name, "module-export", "the module's default export is no configuration", { hint: "export default defineGatewayConfig({ … })" });
  }
  const keys = Object.keys(value).map((key) => key.toLowerCase());
  const isProxy = (keys.includes("routes") || keys.includes("clusters")) && !keys.includes("reverseproxy");
  return { name, root: nodeOf(isProxy ? { reverseProxy: value } : value, name, 0, []), text: undefined };
}

const ids = new Map([
  ["routes", "routeId"],
  ["clusters", "clusterId"],
]);

function nodeOf(value: unknown, source: string, depth: number, path: readonly string[]): ConfigNode {
  const origin = undefined;
  if (depth > maxDepth) throw fatal(source, "too-deep", `objects and lists are nested more than ${maxDepth} levels deep`);
  if (value === undefined || value === null) return { kind: "scalar", type: "null", text: "", origin };
  if (typeof value === "string") return { kind: "scalar", type: "string", text: value, origin };
  if (typeof value === "boolean") return { kind: "scalar", type: "boolean", text: value ? "True" : "False", origin };
  if (typeof value === "number" || typeof value === "bigint") return { kind: "scalar", type: "milliseconds", text: String(value), origin };
  if (typeof value !== "object") throw fatal(source, "module-export", `${path.join(".")} is no data but a ${typeof value}`);
  const idKey = path.length === 2 && path[0] === "reverseproxy" ? ids.get(path[1] ?? "") : undefined;
  if (Array.isArray(value)) {
    if (idKey !== undefined) return keyedById(value, idKey, source, depth, path);
    return { kind: "array", items: value.map((item) => nodeOf(item, source, depth + 1, path)), origin };
  }
  const members = Object.entries(value)
    .filter(([key, member]) => member !== undefined && !isBookkeeping(key, path))
    .map(([key, member]) => ({ key, keyOrigin: origin, value: nodeOf(member, source, depth + 1, [...path, key.toLowerCase()]) }));
  return { kind: "object", members, origin };
}

/** Members of `ProxyConfig` that are not configuration. */
function isBookkeeping(key: string, path: readonly string[]): boolean {
  return path.length === 1 && path[0] === "reverseproxy" && (key === "revisionId" || key === "warnings");
}

function keyedById(list: readonly unknown[], idKey: string, source: string, depth: number, path: readonly string[]): ConfigNode {
  const members = list.map((item: unknown) => {
    const { [idKey]: id, ...rest } = (typeof item === "object" && item !== null ? item : {}) as Record<string, unknown>;
    return { key: typeof id === "string" ? id : "", keyOrigin: undefined, value: nodeOf(rest, source, depth + 1, [...path, "*"]) };
  });
  return { kind: "object", members, origin: undefined };
}
