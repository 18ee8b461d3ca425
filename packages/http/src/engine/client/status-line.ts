import { reasonPhrase } from "../../reason-phrase.ts";

/** `StatusLine.scan`: the bytes end before the line does. */
export const statusLineIncomplete = -1;
/** `StatusLine.scan`: not the grammar of RFC 9112, section 4. `fault` says what. */
export const statusLineMalformed = -2;

const prefix = Uint8Array.from("HTTP/1.", (character) => character.charCodeAt(0));
const cr = 13;
const lf = 10;
const space = 32;
const tab = 9;
const del = 127;
const zero = 48;
const prefixLength = prefix.length;
const reasonOffset = prefixLength + 6;

/**
 * Reads status lines of HTTP/1.0 and 1.1: `HTTP/1.1 200 OK`. The blank before an absent reason phrase may be
 * absent too, as many servers do; nothing else is let off.
 */
export class StatusLine {
  fault = "";
  status = 0;
  /** 0 or 1. */
  minorVersion = 1;
  #from = 0;
  #end = 0;

  /** Scans `bytes[from..to)`. Returns the place behind the line or one of the negative results above. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    for (let i = 0; i < prefixLength; i++) {
      if (from + i >= to) return statusLineIncomplete;
      if (bytes[from + i] !== prefix[i]) return this.#refuse("the response is not HTTP/1");
    }
    let i = from + prefixLength;
    if (i + 5 >= to) return statusLineIncomplete;
    const minor = (bytes[i] as number) - zero;
    if (minor !== 0 && minor !== 1) return this.#refuse("the version of the response is not 1.0 or 1.1");
    if (bytes[i + 1] !== space) return this.#refuse("the status line is malformed");
    const hundreds = (bytes[i + 2] as number) - zero;
    const tens = (bytes[i + 3] as number) - zero;
    const ones = (bytes[i + 4] as number) - zero;
    if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) {
      return this.#refuse("the status is not a number of three digits");
    }
    this.status = hundreds * 100 + tens * 10 + ones;
    this.minorVersion = minor;
    this.#from = from;
    i += 5;
    let byte = bytes[i] as number;
    if (byte !== cr) {
      if (byte !== space) return this.#refuse("the status is not a number of three digits");
      do {
        if (++i >= to) return statusLineIncomplete;
        byte = bytes[i] as number;
      } while ((byte >= space && byte !== del) || byte === tab);
      if (byte !== cr) {
        return this.#refuse(byte === lf ? "a LF stands without CR" : "the reason phrase holds a control character");
      }
    }
    this.#end = i;
    if (i + 1 >= to) return statusLineIncomplete;
    if (bytes[i + 1] !== lf) return this.#refuse("a CR stands without LF");
    return i + 2;
  }

  /** The reason phrase of the line scanned last, out of the latin1 `text` of the bytes from `base` on. */
  reason(text: string, base: number): string {
    const start = this.#from - base + reasonOffset;
    const end = this.#end - base;
    const usual = reasonPhrase(this.status);
    if (usual.length === end - start && text.startsWith(usual, start)) return usual;
    return text.slice(start, end);
  }

  #refuse(fault: string): number {
    this.fault = fault;
    return statusLineMalformed;
  }
}
