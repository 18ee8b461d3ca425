/**
 * Paths in their two forms: raw, as on the wire, and the decoded view that people configure. `%2F` is decoded in
 * neither direction: an encoded slash is not a separator.
 */
import { decodePathText } from "../routing/path-text.ts";

const encodable = /%(?![0-9A-Fa-f]{2})|[^%A-Za-z0-9\-._~!$&'()*+,;=:@/]+/gu;

/**
 * The raw form of a configured path: what no path may hold is percent-encoded as UTF-8; what is percent-encoded
 * already stays (RFC 3986, 2.4).
 */
export function encodePath(text: string): string {
  return text.toWellFormed().replace(encodable, encodeURIComponent);
}

/** `text` with a slash before it, unless it begins with one. */
export function withLeadingSlash(text: string): string {
  return text.startsWith("/") ? text : `/${text}`;
}

/**
 * How many characters of `raw` make up `prefix` (decoded, lower case), which must end where a segment ends; -1 when
 * `raw` does not begin so.
 */
export function rawPrefixLength(raw: string, prefix: string): number {
  const { length } = prefix;
  // A `%` in the decoded prefix is not the one of an escape.
  if (raw.startsWith(prefix) && !prefix.includes("%") && (raw.length === length || raw.charCodeAt(length) === 0x2f)) return length;
  for (let end = segmentEnd(raw, 1); ; end = segmentEnd(raw, end + 1)) {
    const head = raw.slice(0, end);
    if (head.length >= prefix.length && decodePathText(head).toLowerCase() === prefix) return end;
    if (end >= raw.length) return -1;
  }
}

function segmentEnd(raw: string, from: number): number {
  const slash = raw.indexOf("/", from);
  return slash < 0 ? raw.length : slash;
}
