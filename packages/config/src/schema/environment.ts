/**
 * Overrides from the environment as .NET has them: `__` separates the parts of a key, whose case does not matter; a number is
 * the index of a list item. Only the gateway's own sections are looked at.
 */
import type { ConfigNode, ConfigSource, ObjectNode } from "./config-node.ts";
import { memberOf } from "./config-node.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const sections = new Set(["reverseproxy", "server", "kestrel", "logging", "urls"]);
const maxParts = 32;

/**
 * Puts the overrides into the trees. With several sources, one that concerns a route or cluster goes to the source that has it,
 * anything else to the last one.
 */
export function applyEnvironment(sources: readonly ConfigSource[], env: Environment): void {
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined) continue;
    const parts = name.split("__");
    const section = parts[0]?.toLowerCase() ?? "";
    if (!sections.has(section) || parts.length > maxParts || parts.includes("")) continue;
    if ((section === "urls") !== (parts.length === 1)) continue;
    const target = sourceFor(sources, parts);
    if (target?.root.kind === "object") set(target.root, withAlias(target.root, parts), value, name);
  }
}

function sourceFor(sources: readonly ConfigSource[], parts: readonly string[]): ConfigSource | undefined {
  const [section, kind, id] = parts;
  if (section?.toLowerCase() === "reverseproxy" && kind !== undefined && id !== undefined) {
    for (const source of sources) {
      const proxy = source.root.kind === "object" ? memberOf(source.root, section)?.value : undefined;
      const entities = proxy?.kind === "object" ? memberOf(proxy, kind)?.value : undefined;
      if (entities?.kind === "object" && memberOf(entities, id) !== undefined) return source;
    }
  }
  return sources.at(-1);
}

/** `Server` means `Kestrel` in a file that uses that name, and the other way round. */
function withAlias(root: ObjectNode, parts: readonly string[]): readonly string[] {
  const alias = new Map([
    ["server", "Kestrel"],
    ["kestrel", "Server"],
  ]).get(parts[0]?.toLowerCase() ?? "");
  if (alias === undefined || memberOf(root, parts[0] ?? "") !== undefined || memberOf(root, alias) === undefined) return parts;
  return [alias, ...parts.slice(1)];
}

function set(root: ObjectNode, parts: readonly string[], value: string, variable: string): void {
  let node: ConfigNode = root;
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const leaf: ConfigNode = { kind: "scalar", type: "string", text: value, origin: variable };
    const child: ConfigNode = isLast ? leaf : { kind: "object", members: [], origin: variable };
    if (node.kind === "array") {
      // Beyond the end means one more item: a list has no holes.
      const position: number = /^\d{1,6}$/.test(part) ? Math.min(Number(part), node.items.length) : node.items.length;
      const existing: ConfigNode | undefined = node.items[position];
      const next: ConfigNode = !isLast && existing !== undefined && existing.kind !== "scalar" ? existing : child;
      node.items[position] = next;
      node = next;
    } else if (node.kind === "object") {
      const member = memberOf(node, part);
      const next: ConfigNode = !isLast && member !== undefined && member.value.kind !== "scalar" ? member.value : child;
      if (member === undefined) node.members.push({ key: part, keyOrigin: variable, value: next });
      else member.value = next;
      node = next;
    }
  }
}
