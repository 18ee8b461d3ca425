/**
 * The one normal form of a path, in which it is routed, judged by policies and sent on.
 *
 * - Dot segments are removed, also percent-encoded ones (`%2e`); `..` at the root stays at the root, as in Kestrel
 *   (RFC 3986, 5.2.4).
 * - Everything else keeps its bytes: empty segments, `%2F`, `%5C`, the case of escapes.
 * - Refused: every character outside the alphabet of RFC 3986 (controls, blank, `" < > \ ^ `` ` `` { | }`, bytes above
 *   0x7E), a fragment, a percent sign without two hex digits, and `%00`, which C programs take for the end of the text.
 *   `[` and `]` belong to that alphabet and browsers send them in paths, so they pass.
 */

const slash = 0x2f;
const dot = 0x2e;
const percent = 0x25;

const plain = 1;
const special = 2;

const pathCharacters = new Uint8Array(128);
const queryCharacters = new Uint8Array(128);
for (const character of "!$&'()*+,-/0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~") {
  pathCharacters[character.charCodeAt(0)] = plain;
  queryCharacters[character.charCodeAt(0)] = plain;
}
pathCharacters[dot] = special;
pathCharacters[percent] = special;
for (const character of ".%?\\^`{|}") queryCharacters[character.charCodeAt(0)] = plain;

/**
 * Gives the normal form of `path`, which begins with `/` and has no query; the very same string when nothing needs to
 * change. Undefined: the path is to be refused with 400.
 */
export function normalizePath(path: string): string | undefined {
  const length = path.length;
  if (path.charCodeAt(0) !== slash) return undefined;
  let dots = false;
  for (let i = 1; i < length; i++) {
    const code = path.charCodeAt(i);
    if (code > 127) return undefined;
    const kind = pathCharacters[code];
    if (kind === plain) continue;
    if (kind !== special) return undefined;
    if (code === percent) {
      const byte = escapedByte(path, i);
      if (byte <= 0) return undefined;
      if (byte === dot && path.charCodeAt(i - 1) === slash) dots = true;
    } else if (path.charCodeAt(i - 1) === slash && mayEndDots(path, i + 1)) {
      dots = true;
    }
  }
  return dots ? removeDotSegments(path) : path;
}

/**
 * Whether `query`, empty or beginning with `?`, can be passed on: the alphabet of RFC 3986 and what browsers send raw in
 * queries (`\ ^ `` ` `` { | }`, percent signs of any kind); no control, blank, `" < > #` or byte above 0x7E.
 */
export function isQuery(query: string): boolean {
  for (let i = 0; i < query.length; i++) {
    const code = query.charCodeAt(i);
    if (code > 127 || queryCharacters[code] !== plain) return false;
  }
  return true;
}

/** The byte that the escape at `index` stands for, or -1. */
function escapedByte(text: string, index: number): number {
  const high = hexDigit(text.charCodeAt(index + 1));
  const low = hexDigit(text.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** NaN, which `charCodeAt` gives past the end, is no digit either. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Keeps names such as `.well-known` on the fast path. */
function mayEndDots(path: string, index: number): boolean {
  if (index >= path.length) return true;
  const code = path.charCodeAt(index);
  return code === slash || code === dot || code === percent;
}

function removeDotSegments(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] as string;
    const dots = countDots(segment);
    if (dots === 0) {
      kept.push(segment);
      continue;
    }
    if (dots === 2) kept.pop();
    if (i === last) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** 1 or 2 for the dot segments in any spelling, 0 for any other. */
function countDots(segment: string): 0 | 1 | 2 {
  if (segment.length === 0 || segment.length > 6) return 0;
  let count = 0;
  for (let i = 0; i < segment.length; i++) {
    if (segment.charCodeAt(i) === percent && escapedByte(segment, i) === dot) i += 2;
    else if (segment.charCodeAt(i) !== dot) return 0;
    count++;
  }
  return count === 1 || count === 2 ? count : 0;
}
