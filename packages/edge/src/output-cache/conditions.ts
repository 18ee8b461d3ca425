/** Conditions and ranges of requests, judged by what is kept (RFC 9110, 13 and 14). Neither is looked at where a destination answers. */
import type { HeaderList } from "@proxy/http";

/** The validators of what would be sent. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Whether the client has it already: 304. If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2). */
export function isNotModified(headers: HeaderList, { etag, lastModified }: Validators): boolean {
  if (headers.has("if-none-match")) {
    const tags = headers.getAll("if-none-match");
    if (tags.length === 1 && tags[0]?.trim() === "*") return true;
    if (etag === undefined) return false;
    const wanted = opaque(etag);
    return tags.some((line) => entityTags(line).some((tag) => opaque(tag) === wanted));
  }
  const since = headers.get("if-modified-since");
  if (since === undefined || lastModified === undefined) return false;
  if (since === lastModified) return true;
  const [asked, known] = [httpDate(since), httpDate(lastModified)];
  return asked !== undefined && known !== undefined && known <= asked;
}

/** Weak comparison (RFC 9110, 8.8.3.2) looks at this alone. */
function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/** The entity tags of a list; commas may stand in them. */
function entityTags(line: string): string[] {
  return line.match(/(?:W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"/g) ?? [];
}

/** Milliseconds since 1970; undefined for what is no date in one of the forms of RFC 9110, 5.6.7. */
export function httpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  // The form of asctime names no zone: all of them are GMT.
  const time = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}

export interface ByteRange {
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
}

/**
 * The one range that is asked for; `unsatisfiable`: 416; undefined: all of it is sent, because Range is malformed, asks for several, or If-Range does not hold. If-Range
 * takes a strong tag, or the very date (RFC 9110, 13.1.5).
 */
export function askedRange(headers: HeaderList, length: number, { etag, lastModified }: Validators): ByteRange | "unsatisfiable" | undefined {
  const ranges = headers.getAll("range");
  if (ranges.length !== 1) return undefined;
  const condition = headers.get("if-range");
  if (condition !== undefined && condition !== (condition.startsWith('"') ? etag : lastModified)) return undefined;
  const asked = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(ranges[0] as string);
  if (asked === null) return undefined;
  const [, first = "", last = ""] = asked;
  if (first === "") {
    if (last === "") return undefined;
    const count = Math.min(Number(last), length);
    return count === 0 ? "unsatisfiable" : { from: length - count, to: length };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return undefined;
  if (from >= length) return "unsatisfiable";
  return { from, to: last === "" ? length : Math.min(Number(last) + 1, length) };
}
