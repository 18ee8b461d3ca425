/**
 * Several sources laid over one another as .NET does with its layers of configuration: what a later one says wins, key by key
 * (ignoring case) and, in lists, item by item; what it does not mention stays. Each value remembers the source it is from.
 */
import type { ArrayNode, ConfigMember, ConfigNode, ConfigSource, ObjectNode, Origin, PlainOrigin } from "./config-node.ts";

/** One source of several; a single one is given back as it is. Their roots are objects. */
export function mergeSources(sources: readonly ConfigSource[]): ConfigSource {
  const [first, ...rest] = sources;
  if (first === undefined) return { name: "configuration", root: { kind: "object", members: [], origin: undefined }, text: undefined };
  if (rest.length === 0) return first;
  let root = owned(first.root, first);
  for (const source of rest) {
    const over = owned(source.root, source);
    root = root.kind === "object" && over.kind === "object" ? mergeMembers(root, over, sectionName) : over;
  }
  return { name: first.name, root, text: undefined };
}

/** A copy whose origins name their source. */
function owned(node: ConfigNode, source: ConfigSource): ConfigNode {
  const origin = ownedOrigin(node.origin, source);
  if (node.kind === "scalar") return { ...node, origin };
  if (node.kind === "array") return { kind: "array", items: node.items.map((item) => owned(item, source)), origin };
  const members = node.members.map(
    ({ key, keyOrigin, value }): ConfigMember => ({ key, keyOrigin: ownedOrigin(keyOrigin, source), value: owned(value, source) }),
  );
  return { kind: "object", members, origin };
}

function ownedOrigin(origin: Origin, source: ConfigSource): Origin {
  return { source, at: origin as PlainOrigin };
}

/** Changes and gives `base` where both hold members or items; anything else is replaced, but a section or list never by nothing. */
function merge(base: ConfigNode, over: ConfigNode): ConfigNode {
  // As in .NET: a section whose lines are all commented out must not take every route away.
  if (base.kind !== "scalar" && over.kind === "scalar" && over.text === "") return base;
  if (base.kind === "object" && over.kind === "object") return mergeMembers(base, over, lowerCase);
  if (base.kind === "array" && over.kind === "array") return mergeItems(base, [...over.items.entries()]);
  if (base.kind === "array" && over.kind === "object") {
    // As environment variables and .NET spell lists: { "0": … }.
    const items = over.members.map(({ key, value }): [number, ConfigNode] => [/^\d{1,6}$/.test(key) ? Number(key) : -1, value]);
    if (items.every(([index]) => index >= 0)) return mergeItems(base, items);
  }
  return over;
}

function mergeMembers(base: ObjectNode, over: ObjectNode, nameOf: (key: string) => string): ObjectNode {
  const known = new Map<string, ConfigMember>();
  for (const member of base.members) {
    const name = nameOf(member.key);
    if (!known.has(name)) known.set(name, member);
  }
  for (const member of over.members) {
    const name = nameOf(member.key);
    const before = known.get(name);
    // A key that stands twice in one source stays so, to be reported.
    known.delete(name);
    if (before === undefined) base.members.push(member);
    else replaceValue(before, member);
  }
  return base;
}

/** A section stays where it began; what is replaced stands where it was replaced. */
function replaceValue(member: ConfigMember, over: ConfigMember): void {
  const value = merge(member.value, over.value);
  if (value === member.value) return;
  member.value = value;
  member.keyOrigin = over.keyOrigin;
}

function mergeItems(base: ArrayNode, items: readonly (readonly [number, ConfigNode])[]): ArrayNode {
  for (const [index, item] of items.toSorted(([a], [b]) => a - b)) {
    const position = Math.min(index, base.items.length);
    const known = base.items[position];
    base.items[position] = known === undefined ? item : merge(known, item);
  }
  return base;
}

function lowerCase(key: string): string {
  return key.toLowerCase();
}

/** `Kestrel` and `Server` are one section. */
function sectionName(key: string): string {
  const name = key.toLowerCase();
  return name === "kestrel" ? "server" : name;
}
