import { ConfigError, formatIssue } from "@proxy/config";
import { issueFields } from "./issue-fields.ts";
import { formatJsonEntry, formatTextEntry } from "./log-format.ts";
import type { LogEntry, LogFormat } from "./log-format.ts";

/** Everything that kept the gateway from starting, as log entries: one for each issue of a configuration. */
export function formatStartFailure(failure: unknown, format: LogFormat, date: Date): string {
  if (failure instanceof ConfigError) {
    const { issues } = failure;
    if (format === "text") return `${issues.map(formatIssue).join("\n")}\ngateway: not started\n`;
    return issues
      .map((issue) => {
        const level = issue.severity === "error" ? "error" : "warn";
        return formatJsonEntry({ date, level, message: issue.message, fields: issueFields(issue), cause: undefined });
      })
      .join("");
  }
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const foreseen = "_tag" in error || foreseenNames.has(error.name);
  const entry: LogEntry = {
    date,
    level: "fatal",
    message: `not started: ${error.message}`,
    fields: {},
    cause: foreseen ? undefined : error.stack,
  };
  return format === "text" ? formatTextEntry(entry) : formatJsonEntry(entry);
}

/** Failures whose message says all; others are faults of the program and show where they came from. */
const foreseenNames = new Set(["ListenError", "FilesMissingError"]);
