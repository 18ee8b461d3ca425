import { ConfigError } from "@proxy/config";
import type { ConfigIssue } from "@proxy/config";
import type { ProxyLogger } from "@proxy/pipeline";
import type { Severity } from "effect/LogLevel";
import type { CallbackLog, LogFields } from "../logging/callback-log.ts";
import { issueFields } from "../logging/issue-fields.ts";

const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } as const satisfies Record<string, Severity>;

/**
 * What the proxy tells, in the log: issues of a configuration one by one, everything else as a line with its fields.
 * A first configuration that cannot be used is not told here: the start fails with it. `isRunning` is asked each time.
 */
export function proxyEvents(log: CallbackLog, isRunning: () => boolean): ProxyLogger {
  return {
    event(level, name, fields) {
      const { error, issue } = fields;
      if (name === "config-applied") return;
      if (name === "config-warning") {
        const warning = issue as ConfigIssue;
        log("Warn", warning.message, issueFields(warning));
      } else if (error instanceof ConfigError) {
        if (isRunning()) refused(log, error, name);
      } else {
        log(levels[level], name.replaceAll("-", " "), { ...plain(fields), event: name });
      }
    },
  };
}

function refused(log: CallbackLog, error: ConfigError, event: string): void {
  for (const issue of error.issues) {
    log(issue.severity === "error" ? "Error" : "Warn", issue.message, issueFields(issue));
  }
  log("Error", "the changed configuration was refused, the running one stays", { event });
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
