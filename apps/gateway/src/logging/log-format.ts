import { escapeLogText } from "./escape-log-text.ts";

/** One entry of the gateway's own log, ready to be written. */
export interface LogEntry {
  readonly date: Date;
  /** .NET's short spelling of the level, lower case: `info`, `warn`, `error` … */
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** A stack or chain of causes; may have several lines. */
  readonly cause: string | undefined;
}

export type LogFormat = "text" | "json";

/** One line of JSON, for collectors. No value can break the line. */
export function formatJsonEntry(entry: LogEntry): string {
  return `${JSON.stringify({
    time: entry.date.toISOString(),
    level: entry.level,
    message: entry.message,
    ...entry.fields,
    cause: entry.cause,
  })}\n`;
}

/** For people: time, level, message, fields. Lines of a message or cause after the first are indented. */
export function formatTextEntry(entry: LogEntry): string {
  let line = `${entry.date.toISOString().slice(11, 23)} ${entry.level.padEnd(5)} ${text(entry.message)}`;
  for (const [key, value] of Object.entries(entry.fields)) {
    if (value !== undefined) line += ` ${key}=${text(typeof value === "string" ? value : JSON.stringify(value))}`;
  }
  if (entry.cause !== undefined) line += `\n${text(entry.cause)}`;
  return `${line}\n`;
}

// Each line is escaped by itself: terminals obey control characters, and what looks like an entry must be one.
function text(value: string): string {
  return value.split("\n").map(escapeLogText).join("\n    ");
}
