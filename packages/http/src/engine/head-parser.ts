import { HeaderLine, HeaderList } from "../header-list.ts";
import { fieldMark, type SpelledName, spelledName } from "../header-name.ts";

/** `FieldScanner.scan`: the bytes end before the empty line. */
export const headIncomplete = -1;
/** `FieldScanner.scan`: not the grammar of RFC 9112, section 5. `fault` says what. */
export const headMalformed = -2;
/** `FieldScanner.scan`: more lines than allowed. */
export const headTooManyFields = -3;

/** Which bytes are characters of a token (RFC 9110, 5.6.2): 1, others 0. */
export const tokenBytes: Uint8Array = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  tokenBytes[character.charCodeAt(0)] = 1;
}

const framingMarks = fieldMark.contentLength | fieldMark.transferEncoding;

const cr = 13;
const lf = 10;
const space = 32;
const tab = 9;
const colon = 58;
const del = 127;

/**
 * Reads the field lines of a head or a trailer section, strictly: no folding, no bare CR or LF, nothing between
 * name and colon, no control character. What is unclear is refused, never repaired.
 *
 * Two steps, so that a head is looked at once and its text is made once: `scan` walks the bytes and remembers
 * places; `list` makes the lines from the latin1 text of the same bytes. A scanner serves any number of
 * messages, one after the other.
 */
export class FieldScanner {
  /** What was wrong when `scan` gave `headMalformed`. Never holds text of the peer. */
  fault = "";
  /** The number of lines found. */
  count = 0;
  /** The set of `fieldMark`s that were found, … */
  marks = 0;
  /** … and of those found more than once. */
  repeated = 0;
  readonly #spelled: SpelledName[] = [];
  /** Where line, value and rest of the line begin: three numbers per line. */
  readonly #places: number[] = [];

  /**
   * Scans `bytes[from..to)`, which begins with a field line or the empty line. Returns the place behind the
   * empty line, or one of the negative results above.
   */
  scan(bytes: Uint8Array, from: number, to: number, maximumFields: number): number {
    const places = this.#places;
    let count = 0;
    let marks = 0;
    let repeated = 0;
    let i = from;
    for (;;) {
      if (i >= to) return headIncomplete;
      const start = i;
      let byte = bytes[i] as number;
      if (byte === cr) {
        if (i + 1 >= to) return headIncomplete;
        if (bytes[i + 1] !== lf) return this.#refuse("a CR stands without LF");
        this.count = count;
        this.marks = marks;
        this.repeated = repeated;
        return i + 2;
      }
      let hash = 0;
      while (tokenBytes[byte] !== 0) {
        hash = (Math.imul(hash, 31) + byte) | 0;
        if (++i >= to) return headIncomplete;
        byte = bytes[i] as number;
      }
      if (byte !== colon) return this.#refuse(i === start ? noName(byte) : "a field name holds an illegal character");
      if (i === start) return this.#refuse("a field line has no name");
      if (count >= maximumFields) return headTooManyFields;
      const spelled = spelledName(bytes, start, i, hash);
      repeated |= marks & spelled.mark;
      marks |= spelled.mark;
      do {
        if (++i >= to) return headIncomplete;
        byte = bytes[i] as number;
      } while (byte === space || byte === tab);
      const valueStart = i;
      i = skipText(bytes, i, to);
      if (i >= to) return headIncomplete;
      byte = bytes[i] as number;
      while ((byte >= space && byte !== del) || byte === tab) {
        if (++i >= to) return headIncomplete;
        byte = bytes[i] as number;
      }
      if (byte !== cr) return this.#refuse(byte === lf ? "a LF stands without CR" : "a field value holds a control character");
      if (i + 1 >= to) return headIncomplete;
      if (bytes[i + 1] !== lf) return this.#refuse("a CR stands without LF");
      // Legal, but parsers differ on what such a field says.
      if ((spelled.mark & framingMarks) !== 0 && bytes[i - 1] === tab) return this.#refuse("a tab follows the framing of the body");
      this.#spelled[count] = spelled;
      const place = count * 3;
      places[place] = start;
      places[place + 1] = valueStart;
      places[place + 2] = i;
      count++;
      i += 2;
    }
  }

  /**
   * The lines that the last `scan` found. `text` is the latin1 text of the scanned bytes from `base` on, at least
   * to the end of the last line.
   */
  list(text: string, base: number): HeaderList {
    const lines: HeaderLine[] = [];
    const places = this.#places;
    for (let index = 0; index < this.count; index++) {
      const spelled = this.#spelled[index] as SpelledName;
      const start = (places[index * 3] as number) - base;
      const valueStart = (places[index * 3 + 1] as number) - base;
      const end = (places[index * 3 + 2] as number) - base;
      const name = spelled.name;
      const last = text.charCodeAt(end - 1);
      const plain = valueStart === start + name.length + 2 && last !== tab && (last !== space || valueStart === end)
        && text.charCodeAt(valueStart - 1) === space;
      lines.push(
        plain
          ? new HeaderLine(name, spelled.key, undefined, text, start, end + 2)
          : new HeaderLine(name, spelled.key, trimmed(text, valueStart, end), "", 0, 0),
      );
    }
    return HeaderList.fromLines(lines);
  }

  #refuse(fault: string): number {
    this.fault = fault;
    return headMalformed;
  }
}

/**
 * Skips bytes that may stand in a value, four at a time: stops before a group that holds a control character (the
 * sums find a byte below 0x20 and one equal to 0x7F without a branch per byte), or within four bytes of the end.
 */
function skipText(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  for (const last = to - 4; i <= last; i += 4) {
    const four = (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16)
      | ((bytes[i + 3] as number) << 24);
    const flipped = four ^ 0x7f7f7f7f;
    if (((((four - 0x20202020) & ~four) | ((flipped - 0x01010101) & ~flipped)) & 0x80808080) !== 0) break;
  }
  return i;
}

function noName(byte: number): string {
  if (byte === space || byte === tab) return "a field line begins with white space";
  return byte === lf ? "a LF stands without CR" : "a field name holds an illegal character";
}

function trimmed(text: string, from: number, to: number): string {
  let end = to;
  while (end > from && (text.charCodeAt(end - 1) === space || text.charCodeAt(end - 1) === tab)) end--;
  return text.slice(from, end);
}
