/**
 * Numbers keep their digits while a JSON text is edited: those that a double would spell otherwise stand as marked texts in between. A
 * reviver of `JSON.parse` could do it too, and takes the time of twenty parses.
 */
import { randomBytes } from "node:crypto";
import { endOfText, jsonQuote } from "./json-text.ts";

/** What no text from outside can hold but by luck. */
const mark = `${randomBytes(16).toString("base64url")}:`;
const marked = new RegExp(`"${mark}([^"]*)"`, "g");
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const colon = 0x3a;

/** `text` with its long, decimal and unusual numbers marked. Text that is no JSON is none afterwards either. */
export function markNumbers(text: string): string {
  let result = "";
  let from = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i);
    if (code === jsonQuote) {
      i = endOfText(text, i);
      continue;
    }
    const begin = i++;
    if (!isOfNumber(code)) continue;
    while (isOfNumber(text.charCodeAt(i))) i++;
    const digits = text.slice(begin, i);
    if (String(Number(digits)) === digits || !number.test(digits) || isKey(text, i)) continue;
    result += `${text.slice(from, begin)}"${mark}${digits}"`;
    from = i;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** A JSON text with the digits that `markNumbers` found. */
export function unmarkNumbers(text: string): string {
  return text.replace(marked, "$1");
}

/** Digits, sign, point and exponent; false at the end, where there is NaN. */
function isOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;
}

/** A number before a colon is a fault, which a mark would hide. */
function isKey(text: string, end: number): boolean {
  let i = end;
  while (text.charCodeAt(i) <= 0x20) i++;
  return text.charCodeAt(i) === colon;
}
