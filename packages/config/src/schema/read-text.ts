import type { ConfigIssue } from "../config-issue.ts";
import { configErrorOf } from "../config-issue.ts";
import { maxBytes } from "./config-node.ts";
import { positionInText } from "./source-position.ts";

/** The text of a source without a byte order mark. Throws `ConfigError` when it is too large or no UTF-8. */
export function readText(input: string | Uint8Array, source: string, limit = maxBytes): string {
  const size = typeof input === "string" ? Buffer.byteLength(input) : input.byteLength;
  if (size > limit) throw fatal(source, "file-too-large", `the file has ${size} bytes, more than ${limit / 1024 / 1024} MiB`);
  if (typeof input === "string") return input.charCodeAt(0) === 0xfe_ff ? input.slice(1) : input;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(input);
  } catch {
    const lossy = new TextDecoder("utf-8").decode(input);
    throw fatal(source, "invalid-utf8", "the file is not UTF-8", {
      ...positionInText(lossy, Math.max(0, lossy.indexOf("\u{FFFD}"))),
      hint: "save it as UTF-8",
    });
  }
}

/** A source that cannot be read any further. */
export function fatal(source: string, code: string, message: string, more: Partial<ConfigIssue> = {}): Error {
  return configErrorOf([{ code, severity: "error", message, path: [], source, ...more }]);
}
