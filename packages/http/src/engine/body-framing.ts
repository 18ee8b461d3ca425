import type { HeaderList } from "../header-list.ts";
import { fieldMark } from "../header-name.ts";

/** `responseFraming`: the body is in the chunked coding. */
export const framingChunked = -1;
/** `responseFraming`: the body ends when the connection is closed. */
export const framingUntilClose = -2;
/** `responseFraming`: the length is unclear. The message must be refused and the connection closed. */
export const framingMalformed = -3;

export interface ResponseFramingFacts {
  readonly status: number;
  /** 0 or 1. */
  readonly minorVersion: number;
  /** The request was a HEAD. */
  readonly head: boolean;
  readonly headers: HeaderList;
  /** The `fieldMark`s of `headers`, and of those found more than once. */
  readonly marks: number;
  readonly repeated: number;
}

/**
 * How long the body of a response is (RFC 9112, 6.3): a number of bytes (0 where a response has none), or one of
 * the negative values above. Stricter than the RFC where it lets a recipient repair: both lengths together,
 * a repeated or odd Content-Length, and any coding but one plain `chunked` are malformed, also where no body
 * follows. A response to an upgrade or to CONNECT is the caller's.
 */
export function responseFraming(facts: ResponseFramingFacts): number {
  const lengths = facts.marks & (fieldMark.contentLength | fieldMark.transferEncoding);
  let framing = framingUntilClose;
  if (lengths !== 0) {
    framing = declaredFraming(facts, lengths);
    if (framing === framingMalformed) return framing;
  }
  const { status } = facts;
  if (facts.head || status === 204 || status === 304 || status < 200) return 0;
  return framing;
}

function declaredFraming(facts: ResponseFramingFacts, lengths: number): number {
  if (lengths === (fieldMark.contentLength | fieldMark.transferEncoding)) return framingMalformed;
  if ((facts.repeated & lengths) !== 0) return framingMalformed;
  if (lengths === fieldMark.contentLength) {
    const length = contentLength(facts.headers.get("content-length") as string);
    return length < 0 ? framingMalformed : length;
  }
  // A coding in HTTP/1.0 was added by somebody who did not understand it (RFC 9112, 6.1).
  if (facts.minorVersion === 0) return framingMalformed;
  const coding = facts.headers.get("transfer-encoding") as string;
  return coding === "chunked" || coding.toLowerCase() === "chunked" ? framingChunked : framingMalformed;
}

/** The value of a Content-Length field: digits only, at most 2^53 - 1 (RFC 9110, 8.6); -1 for anything else. */
export function contentLength(value: string): number {
  const { length } = value;
  if (length === 0 || length > 16) return -1;
  let result = 0;
  for (let i = 0; i < length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    result = result * 10 + digit;
  }
  return result <= Number.MAX_SAFE_INTEGER ? result : -1;
}
