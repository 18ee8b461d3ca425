/** A configuration source as a tree that remembers where each value stands. Keys are never members of objects. */

/** Offset in the source's text, the name of an environment variable, or undefined where nothing is known (modules). */
export type PlainOrigin = number | string | undefined;

/** Where several sources are one tree: which of them, too. */
export type Origin = PlainOrigin | { readonly source: ConfigSource; readonly at: PlainOrigin };

export interface ObjectNode {
  readonly kind: "object";
  readonly members: ConfigMember[];
  readonly origin: Origin;
}

export interface ArrayNode {
  readonly kind: "array";
  readonly items: ConfigNode[];
  readonly origin: Origin;
}

export interface ScalarNode {
  readonly kind: "scalar";
  /** `milliseconds`: a number from a module, which is a duration where one is expected. */
  readonly type: "string" | "number" | "boolean" | "null" | "milliseconds";
  /** As .NET's configuration holds it: numbers as written, booleans as `True` and `False`. */
  readonly text: string;
  readonly origin: Origin;
}

export type ConfigNode = ObjectNode | ArrayNode | ScalarNode;

export interface ConfigMember {
  readonly key: string;
  keyOrigin: Origin;
  value: ConfigNode;
}

/** One parsed source. */
export interface ConfigSource {
  /** File name or other label for messages. */
  readonly name: string;
  readonly root: ConfigNode;
  /** The text, for lines and columns; undefined for modules. */
  readonly text: string | undefined;
}

/** Most levels of objects and lists in each other. */
export const maxDepth = 64;
/** Most bytes of a source: 16 MiB. */
export const maxBytes = 16 * 1024 * 1024;
/** Most bytes of YAML, whose parser takes some microseconds for each: 4 MiB. */
export const maxYamlBytes = 4 * 1024 * 1024;

/** The member `key` of an object, ignoring case; the exact spelling wins, then the first one. */
export function memberOf(node: ObjectNode, key: string): ConfigMember | undefined {
  if (node.members.length <= 16) return scan(node.members, key);
  const { exact, lower } = indexOf(node);
  return exact.get(key) ?? lower.get(key.toLowerCase());
}

function scan(members: readonly ConfigMember[], key: string): ConfigMember | undefined {
  const lower = key.toLowerCase();
  let found: ConfigMember | undefined;
  for (const member of members) {
    if (member.key === key) return member;
    if (found === undefined && member.key.length === key.length && member.key.toLowerCase() === lower) found = member;
  }
  return found;
}

interface MemberIndex {
  readonly exact: ReadonlyMap<string, ConfigMember>;
  readonly lower: ReadonlyMap<string, ConfigMember>;
}

const indexes = new WeakMap<ObjectNode, MemberIndex & { readonly size: number }>();

/** Built at the first look-up: thousands of routes are looked up one by one. Members are only ever added. */
function indexOf(node: ObjectNode): MemberIndex {
  const known = indexes.get(node);
  if (known?.size === node.members.length) return known;
  const exact = new Map<string, ConfigMember>();
  const lower = new Map<string, ConfigMember>();
  for (const member of node.members) {
    if (!exact.has(member.key)) exact.set(member.key, member);
    const key = member.key.toLowerCase();
    if (!lower.has(key)) lower.set(key, member);
  }
  const index = { exact, lower, size: node.members.length };
  indexes.set(node, index);
  return index;
}

/** `Server` and `Kestrel` are two names of one section: the other one. */
export function serverAlias(key: string): string | undefined {
  const lower = key.toLowerCase();
  return lower === "server" ? "Kestrel" : lower === "kestrel" ? "Server" : undefined;
}

/** Items of a list as .NET sees them: a list, an object (its members in order), or a scalar that is its only item. */
export function itemsOf(node: ConfigNode): readonly ConfigNode[] {
  if (node.kind === "array") return node.items;
  if (node.kind === "object") return node.members.map((member) => member.value);
  return [node];
}

export interface FoundNode {
  /** Undefined where the value itself is missing and its surroundings are meant. */
  readonly node: ConfigNode | undefined;
  readonly origin: Origin;
  /** JSON pointer (RFC 6901) in the spelling of the source. */
  readonly pointer: string;
}

/** The value at `path`, or the innermost value around it that is there. */
export function findNode(root: ConfigNode, path: readonly (string | number)[]): FoundNode {
  let node = root;
  let origin = root.origin;
  let pointer = "";
  for (const part of path) {
    const next = step(node, part);
    if (next === undefined) return { node: undefined, origin, pointer };
    ({ node, origin } = next);
    pointer += `/${next.name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
  return { node, origin, pointer };
}

function step(node: ConfigNode, part: string | number): { node: ConfigNode; origin: Origin; name: string } | undefined {
  if (typeof part === "number") {
    if (node.kind === "object") {
      const member = node.members[part];
      return member && { node: member.value, origin: member.keyOrigin, name: member.key };
    }
    const item = itemsOf(node)[part];
    return item && { node: item, origin: item.origin, name: String(part) };
  }
  if (node.kind !== "object") return undefined;
  const member = memberOf(node, part);
  // The value is where a person looks; an object's begin is its key.
  return member && { node: member.value, origin: member.value.kind === "scalar" ? member.value.origin : member.keyOrigin, name: member.key };
}
