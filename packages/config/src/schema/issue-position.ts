import type { ConfigIssue } from "../config-issue.ts";
import { shorten } from "../config-issue.ts";
import { withoutCredentials } from "../validation/destination-address.ts";
import type { ConfigSource, Origin } from "./config-node.ts";
import { findNode, memberOf } from "./config-node.ts";
import { positionIn } from "./source-position.ts";

export type EntityKind = "route" | "cluster";

/** Position, pointer and value for an issue about `path`. `origin`: where exactly, if not where the value stands. */
export function positionOf(
  source: ConfigSource,
  path: readonly (string | number)[],
  origin?: Origin,
): Pick<ConfigIssue, "source" | "line" | "column" | "pointer" | "value"> {
  const found = findNode(source.root, path);
  const value = found.node?.kind === "scalar" && found.node.type !== "null" ? { value: shorten(withoutCredentials(found.node.text)) } : {};
  return { ...positionIn(source, origin ?? found.origin), pointer: found.pointer, ...value };
}

/** The issue with the position of what it is about; unchanged when no source has it. */
export function locateIn(sources: readonly ConfigSource[], issue: ConfigIssue): ConfigIssue {
  if (issue.source !== undefined) return issue;
  // A duplicate is the later one.
  const ordered = issue.code.endsWith("-duplicate") ? sources.toReversed() : sources;
  for (const source of ordered) {
    const path = wholePath(source, issue);
    if (path === undefined) continue;
    // The value as written, where there is one: `0s` rather than 0.
    return { ...issue, ...positionOf(source, path) };
  }
  return issue;
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
