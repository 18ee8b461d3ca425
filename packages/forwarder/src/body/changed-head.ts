/** What else of a message changes with its body. */
import type { HeaderList } from "@proxy/http";

/** What says of a body how long it is, or that it is just these bytes (RFC 9110, 8.6; RFC 9530). */
const aboutTheBytes: ReadonlySet<string> = new Set(["content-length", "content-md5", "digest", "content-digest", "repr-digest"]);

/** The fields of a request whose body is changed: its length is known at its end, its digests are wrong. */
export function changeRequestFields(headers: HeaderList): void {
  removeAll(headers, aboutTheBytes);
}

const ofResponse: ReadonlySet<string> = new Set([...aboutTheBytes, "accept-ranges"]);

/**
 * The fields of a response whose body is changed: no length, no digest, no ranges of it, and an ETag that promises the same
 * meaning and not the same bytes (RFC 9110, 8.8.1).
 */
export function changeResponseFields(headers: HeaderList): void {
  removeAll(headers, ofResponse);
  const index = headers.indexOf("etag");
  if (index >= 0 && headers.valueAt(index).startsWith('"')) headers.setValueAt(index, `W/${headers.valueAt(index)}`);
}

/** Digests that come after a body are as wrong as those before it. */
export function changeTrailers(trailers: HeaderList | undefined): HeaderList | undefined {
  if (trailers === undefined) return undefined;
  const left = trailers.copy();
  removeAll(left, aboutTheBytes);
  return left.size === 0 ? undefined : left;
}

function removeAll(headers: HeaderList, keys: ReadonlySet<string>): void {
  for (let i = 0; i < headers.size; i++) {
    if (!keys.has(headers.keyAt(i))) continue;
    headers.filter((key) => !keys.has(key));
    return;
  }
}
