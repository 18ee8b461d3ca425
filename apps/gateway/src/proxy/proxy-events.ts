import { ConfigError } from "@proxy/config";
import type { ConfigIssue } from "@proxy/config";
import type { ProxyLogger } from "@proxy/pipeline";
import type { Severity } from "effect/LogLevel";
import type { CallbackLog, LogFields } from "../logging/callback-log.ts";

const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } as const satisfies Record<string, Severity>;

/** What the proxy tells, in the log: issues of a configuration one by one, everything else as a line with its fields. */
export function proxyEvents(log: CallbackLog): ProxyLogger {
  return {
    event(level, name, fields) {
      const { error, issue } = fields;
      if (name === "config-applied") return;
      if (name === "config-warning") {
        logIssue(log, issue as ConfigIssue);
      } else if (error instanceof ConfigError) {
        for (const one of error.issues) logIssue(log, one);
        log("Error", "the changed configuration was refused, the running one stays", { event: name });
      } else {
        log(levels[level], name.replaceAll("-", " "), { ...plain(fields), event: name });
      }
    },
  };
}

/** An issue as an entry of its own. */
export function logIssue(log: CallbackLog, { severity, message, path, ...rest }: ConfigIssue): void {
  log(severity === "error" ? "Error" : "Warn", message, {
    ...rest,
    entity: rest.entity === undefined ? undefined : `${rest.entity.kind} ${rest.entity.id}`,
    path: path.join(":"),
  });
}

/** Errors as their message: where in the program they were made says nothing about a destination that is down. */
function plain(fields: LogFields): LogFields {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    shown[key] = value instanceof Error ? withCauses(value) : value;
  }
  return shown;
}

function withCauses(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${withCauses(error.cause)}` : error.message;
}
