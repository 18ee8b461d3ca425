/**
 * Text of paths and queries: percent-decoding, case folding and encoding, as routing sees them. Nothing here
 * throws: what is not well-formed UTF-8 behind its percent signs stays as it is.
 */

const percent = 0x25;

/** How `decodePercent` treats what stands behind percent signs. */
export interface DecodeOptions {
  /** `%2F` stays encoded: a decoded one would change the segments of a path. */
  readonly keepSlash: boolean;
  /** `+` is a blank, as in queries. */
  readonly plusIsBlank: boolean;
}

const pathDecoding: DecodeOptions = { keepSlash: true, plusIsBlank: false };

/** Decodes a piece of a path. `%2F` stays, invalid UTF-8 stays. Gives `text` itself when it has no `%`. */
export function decodePathText(text: string): string {
  return text.includes("%") ? decodePercent(text, pathDecoding) : text;
}

/**
 * Decodes `text`. When `offsets` is given, it receives for each character of the result where that character
 * began in `text`, and at its end the length of `text`.
 */
export function decodePercent(text: string, options: DecodeOptions, offsets?: number[]): string {
  let result = "";
  let i = 0;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    const begin = i;
    let piece: string;
    if (code === percent) {
      const length = encodedLength(text, i, options.keepSlash);
      if (length === 0) {
        piece = "%";
        i += 1;
      } else {
        piece = String.fromCodePoint(codePointAt(text, i, length));
        i += length * 3;
      }
    } else {
      piece = options.plusIsBlank && code === 0x2b ? " " : text.charAt(i);
      i += 1;
    }
    if (offsets !== undefined) for (let n = 0; n < piece.length; n++) offsets.push(begin);
    result += piece;
  }
  offsets?.push(text.length);
  return result;
}

/** How many `%XX` from `index` make one character that may be decoded; 0 when none do. */
function encodedLength(text: string, index: number, keepSlash: boolean): number {
  const first = byteAt(text, index);
  if (first < 0 || (keepSlash && first === 0x2f)) return 0;
  const length = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  for (let n = 1; n < length; n++) {
    const next = byteAt(text, index + n * 3);
    if (next < 0x80 || next > 0xbf) return 0;
    if (n > 1) continue;
    // Overlong forms, surrogates and what is beyond U+10FFFF (RFC 3629, 3).
    if (first === 0xe0 && next < 0xa0) return 0;
    if (first === 0xed && next > 0x9f) return 0;
    if (first === 0xf0 && next < 0x90) return 0;
    if (first === 0xf4 && next > 0x8f) return 0;
  }
  return length;
}

function codePointAt(text: string, index: number, length: number): number {
  const first = byteAt(text, index);
  if (length === 1) return first;
  let point = first & (0xff >> (length + 1));
  for (let n = 1; n < length; n++) point = (point << 6) | (byteAt(text, index + n * 3) & 0x3f);
  return point;
}

/** The byte of `%XX` at `index`, or -1. */
function byteAt(text: string, index: number): number {
  if (text.charCodeAt(index) !== percent) return -1;
  const high = hexValue(text.charCodeAt(index + 1));
  const low = hexValue(text.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * One form for all spellings that differ in letter case only. Keeps the length; an ASCII letter never equals
 * another character (the Kelvin sign is no `k`), as in ordinal comparison that ignores case.
 */
export function foldCase(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return foldUnicode(text);
  return text.toLowerCase();
}

function foldUnicode(text: string): string {
  let result = "";
  for (const character of text) {
    const lower = character.toLowerCase();
    const changes = lower.length === character.length && (character.charCodeAt(0) > 0x7f) === (lower.charCodeAt(0) > 0x7f);
    result += changes ? lower : character;
  }
  return result;
}

const encoder = new TextEncoder();

/** Percent-encodes `text` as a piece of a path (RFC 3986, 3.3): all but pchar; `/` too unless `keepSlash`. */
export function encodePathText(text: string, keepSlash: boolean): string {
  let result = "";
  for (const byte of encoder.encode(text)) {
    const plain = isPathByte(byte) || (keepSlash && byte === 0x2f);
    result += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}

const pathPunctuation = new Set(Array.from("-._~!$&'()*+,;=:@", (character) => character.charCodeAt(0)));

function isPathByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || pathPunctuation.has(byte);
}
