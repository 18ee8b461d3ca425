/** Cookies of a request, read strictly: what is unclear is not there (RFC 6265, 4.2.1 and 5.4). */
import type { HeaderList } from "@proxy/http";

/**
 * The value of the cookie `name`; undefined when there is none, or when it comes twice: then one of them was set by somebody who may not set
 * the other, and nobody knows which.
 */
export function requestCookie(headers: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  for (const [key, value] of requestCookies(headers)) {
    if (key !== name) continue;
    if (found !== undefined) return undefined;
    found = value;
  }
  return found;
}

/** All pairs in their order, of all lines. What has no `=` is left out. */
export function* requestCookies(headers: HeaderList): Iterable<readonly [name: string, value: string]> {
  for (let index = headers.indexOf("cookie"); index >= 0; index = headers.indexOf("cookie", index + 1)) {
    for (const pair of headers.valueAt(index).split(";")) {
      const equals = pair.indexOf("=");
      if (equals > 0) yield [withoutBlanks(pair.slice(0, equals)), withoutBlanks(pair.slice(equals + 1))];
    }
  }
}

/** Takes the cookies out whose name `isOwn`; what stands beside them stays as it was written. True when there was one. */
export function removeCookies(headers: HeaderList, isOwn: (name: string) => boolean): boolean {
  let isRemoved = false;
  let isEmpty = false;
  for (let index = headers.indexOf("cookie"); index >= 0; index = headers.indexOf("cookie", index + 1)) {
    const pairs = headers.valueAt(index).split(";");
    const kept = pairs.filter((pair) => !isOwn(nameOf(pair)));
    if (kept.length === pairs.length) continue;
    isRemoved = true;
    const value = kept.join(";").trim();
    headers.setValueAt(index, value);
    if (value === "") isEmpty = true;
  }
  if (isEmpty) headers.filter((key, index) => key !== "cookie" || headers.valueAt(index) !== "");
  return isRemoved;
}

function nameOf(pair: string): string {
  const equals = pair.indexOf("=");
  return withoutBlanks(equals < 0 ? pair : pair.slice(0, equals));
}

/**
 * Blanks and tabs at both ends left out, and nothing else: browsers take U+00A0 for a part of the name, which then has no `__Host-` in front for them. Read without it, a
 * cookie that another host of the domain set would be one of ours.
 */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
