import type { ConfigIssue } from "../config-issue.ts";
import { shorten } from "../config-issue.ts";
import { withoutCredentials } from "../validation/destination-address.ts";
import type { ConfigSource, FoundNode, Origin } from "./config-node.ts";
import { findNode, memberOf, serverAlias } from "./config-node.ts";
import { positionIn } from "./source-position.ts";

export type EntityKind = "route" | "cluster";

/** Position, pointer and value for an issue about `path`. `origin`: where exactly, if not where the value stands. */
export function positionOf(
  source: ConfigSource,
  path: readonly (string | number)[],
  origin?: Origin,
): Pick<ConfigIssue, "source" | "line" | "column" | "pointer" | "value"> {
  const found = findUnderEitherName(source, path);
  const isShown = found.node?.kind === "scalar" && found.node.type !== "null" && !path.some(isSecret);
  const value = isShown && found.node.kind === "scalar" ? { value: shorten(withoutCredentials(found.node.text)) } : {};
  const place = origin ?? found.origin;
  return { ...positionIn(source, place), pointer: pointerIn(place, path) ?? found.pointer, ...value };
}

/** A path that begins with `Server` may stand below `Kestrel`. */
function findUnderEitherName({ root }: ConfigSource, path: readonly (string | number)[]): FoundNode {
  const found = findNode(root, path);
  const alias = found.node !== undefined || typeof path[0] !== "string" ? undefined : serverAlias(path[0]);
  if (alias === undefined) return found;
  const other = findNode(root, [alias, ...path.slice(1)]);
  // Whichever leads further.
  return other.node !== undefined || other.pointer.length > found.pointer.length ? other : found;
}

/** What issues must not repeat: they are logged. */
const secretKeys: ReadonlySet<string> = new Set(["secret", "secrets", "clientsecret", "password", "hash"]);

function isSecret(key: string | number): boolean {
  return typeof key === "string" && secretKeys.has(key.toLowerCase());
}

/** In the spelling of the one source of several that has it. */
function pointerIn(place: Origin, path: readonly (string | number)[]): string | undefined {
  if (typeof place !== "object") return undefined;
  const { root } = place.source;
  const { node, pointer } = findNode(root, path);
  if (node !== undefined || typeof path[0] !== "string") return pointer;
  const alias = serverAlias(path[0]);
  return alias === undefined ? pointer : findNode(root, [alias, ...path.slice(1)]).pointer;
}

/** The issue with the position of what it is about; unchanged when the source does not have it. */
export function locateIn(source: ConfigSource, issue: ConfigIssue): ConfigIssue {
  if (issue.source !== undefined) return issue;
  const path = wholePath(source, issue);
  // The value as written, where there is one: `0s` rather than 0.
  return path === undefined ? issue : { ...issue, ...positionOf(source, path) };
}

/** The path from the root of `source`, if the entity is in it. */
function wholePath(source: ConfigSource, issue: ConfigIssue): readonly (string | number)[] | undefined {
  const { entity } = issue;
  if (entity === undefined) return issue.path.length > 0 ? issue.path : undefined;
  const prefix = ["ReverseProxy", entity.kind === "route" ? "Routes" : "Clusters"];
  const { node } = findNode(source.root, prefix);
  if (node?.kind !== "object" || memberOf(node, entity.id) === undefined) return undefined;
  return [...prefix, entity.id, ...issue.path];
}
