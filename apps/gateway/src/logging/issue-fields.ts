import type { ConfigIssue } from "@proxy/config";
import type { LogFields } from "./callback-log.ts";

/** What an entry says of an issue beside its message. */
export function issueFields({ severity: _severity, message: _message, entity, path, ...rest }: ConfigIssue): LogFields {
  return { ...rest, entity: entity === undefined ? undefined : `${entity.kind} ${entity.id}`, path: path.join(":") };
}
