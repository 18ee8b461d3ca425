/**
 * Overrides from the environment as .NET has them: `__` separates the parts of a key, whose case does not matter; a number is
 * the index of a list item. Only the gateway's own sections are looked at.
 */
import type { ConfigNode, ConfigSource, ObjectNode } from "./config-node.ts";
import { memberOf, serverAlias } from "./config-node.ts";

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const sections = new Set(["reverseproxy", "server", "kestrel", "logging", "policies", "urls"]);
const maxParts = 32;
/** Item 2 before item 10. */
const inOrder = new Intl.Collator("en", { numeric: true });

/** Puts the overrides into the tree. */
export function applyEnvironment({ root }: ConfigSource, env: Environment): void {
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => inOrder.compare(a, b))) {
    if (value === undefined) continue;
    const parts = name.split("__");
    const section = parts[0]?.toLowerCase() ?? "";
    if (!sections.has(section) || parts.length > maxParts || parts.includes("")) continue;
    if ((section === "urls") !== (parts.length === 1)) continue;
    if (root.kind === "object") set(root, withAlias(root, parts), value, name);
  }
}

/** `Server` means `Kestrel` in a file that uses that name, and the other way round. */
function withAlias(root: ObjectNode, parts: readonly string[]): readonly string[] {
  const alias = serverAlias(parts[0] ?? "");
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
