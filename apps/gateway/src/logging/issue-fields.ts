import type { ConfigIssue } from "@proxy/config";
import type { LogFields } from "./callback-log.ts";

/** What an entry says of an issue beside its message. */
export function issueFields({ severity: _severity, message: _message, entity, path, ...rest }: ConfigIssue): LogFields {
  return { ...rest, entity: entity === undefined ? undefined : `${entity.kind} ${entity.id}`, path: path.join(":") };
}

/** Issues of routes, then of clusters, then of the rest, as people read a configuration. */
export function issuesInOrder(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  return issues.toSorted((a, b) => rank(a) - rank(b));
}

function rank({ entity }: ConfigIssue): number {
  if (entity === undefined) return 2;
  return entity.kind === "route" ? 0 : 1;
}
