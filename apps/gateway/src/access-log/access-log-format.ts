/**
 * Lines of the access log. Whatever a client sends, a request is one line of printable ASCII, and a field cannot
 * end before its quote does: bytes that are not printable ASCII, quotes and backslashes are escaped (CWE-117).
 */
import type { AccessLogEntry } from "./access-log-entry.ts";

export type AccessLogFormat = "combined" | "json";

const longestField = 8192;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The function that writes entries in `format`, each with its line break. */
export function accessLogFormatter(format: AccessLogFormat): (entry: AccessLogEntry) => string {
  return format === "json" ? formatJson : formatCombined;
}

/**
 * `address - - [time] "request" status bytes "referer" "user agent"` as of old (the byte count, which no front
 * server tells, is `-`), then duration in milliseconds, host, route, cluster, destination and error.
 */
function formatCombined(entry: AccessLogEntry): string {
  const { request } = entry;
  const line = request === undefined ? "-" : `${request.method} ${request.target} HTTP/${request.httpVersion}`;
  return (
    `${bare(entry.remoteAddress)} - - [${combinedTime(entry.time)}] ${quoted(line)} ${entry.status ?? "-"} - ` +
    `${quoted(request?.referer)} ${quoted(request?.userAgent)} ${milliseconds(entry.duration) ?? "-"} ` +
    `${quoted(request?.authority)} ${quoted(entry.route)} ${quoted(entry.cluster)} ${quoted(entry.destination)} ` +
    `${bare(entry.error)}\n`
  );
}

function formatJson(entry: AccessLogEntry): string {
  const { request } = entry;
  const text = JSON.stringify({
    time: new Date(entry.time).toISOString(),
    remoteAddress: entry.remoteAddress,
    method: cut(request?.method),
    target: cut(request?.target),
    httpVersion: request?.httpVersion,
    host: cut(request?.authority),
    status: entry.status,
    durationMs: milliseconds(entry.duration),
    referer: cut(request?.referer),
    userAgent: cut(request?.userAgent),
    route: entry.route,
    cluster: entry.cluster,
    destination: entry.destination,
    attempts: entry.attempts,
    error: entry.error,
    cache: entry.cache,
    delegated: entry.delegated,
    webSocket: entry.webSocket && { ...entry.webSocket, established: new Date(entry.webSocket.established).toISOString() },
  });
  return `${asciiJson(text)}\n`;
}

function quoted(value: string | undefined): string {
  return value === undefined ? '"-"' : `"${escapeField(value)}"`;
}

function bare(value: string | undefined): string {
  return value === undefined || value === "" ? "-" : escapeField(value).replaceAll(" ", "\\x20");
}

/** Escapes as nginx and Apache do: `\xNN` per byte, so that readers of their logs read these. */
export function escapeField(value: string): string {
  const end = Math.min(value.length, longestField);
  let clean = "";
  let from = 0;
  for (let i = 0; i < end; i++) {
    const code = value.charCodeAt(i);
    if (code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c) continue;
    clean += value.slice(from, i) + escaped(code);
    from = i + 1;
  }
  clean = from === 0 && end === value.length ? value : clean + value.slice(from, end);
  return end === value.length ? clean : `${clean}...`;
}

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

function asciiJson(text: string): string {
  let clean = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x7f) continue;
    clean += `${text.slice(from, i)}\\u${code.toString(16).padStart(4, "0")}`;
    from = i + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}

function cut(value: string | undefined): string | undefined {
  return value !== undefined && value.length > longestField ? `${value.slice(0, longestField)}...` : value;
}

function milliseconds(duration: number | undefined): number | undefined {
  return duration === undefined ? undefined : Math.round(duration * 1000) / 1000;
}

let lastSecond = -1;
let lastText = "";

/** `22/Nov/2026:13:05:00 +0000`; always UTC, remembered for the second. */
function combinedTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second === lastSecond) return lastText;
  const date = new Date(time);
  lastSecond = second;
  lastText =
    `${pad(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}:` +
    `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())} +0000`;
  return lastText;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
