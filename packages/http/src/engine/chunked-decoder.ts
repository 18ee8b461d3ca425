import type { HeaderList } from "../header-list.ts";
import { fieldMark } from "../header-name.ts";
import { FieldScanner, headIncomplete, headMalformed, headTooManyFields, tokenBytes } from "./head-parser.ts";

/** What `ChunkedDecoder.next` found. */
export type ChunkedEvent =
  /** A piece of the body: `dataStart` to `dataEnd`. */
  | "data"
  /** All bytes are used up and the body is not at its end. */
  | "more"
  /** The body is complete; `trailers` is set; bytes from `position` on belong to the next message. */
  | "end"
  /** Not the grammar of RFC 9112, 7.1; `fault` says what. */
  | "malformed"
  /** Trailers beyond the limits; `fault` says which. */
  | "trailers-too-large"
  /** Extensions beyond the limit. */
  | "extensions-too-large";

export interface ChunkedLimits {
  /** Most bytes of the trailer section. */
  readonly maxTrailersSize: number;
  readonly maxTrailerCount: number;
}

/** Most bytes of extensions in one body, as in Node: they carry nothing and cost work. */
const maximumExtensionBytes = 16_384;
/** Leading zeros are legal; more digits than this tell of an attack. */
const maximumSizeDigits = 16;

const cr = 13;
const lf = 10;
const semicolon = 59;
const equals = 61;
const quote = 34;
const backslash = 92;

type State =
  | "size" | "size-digits" | "size-lf" | "data" | "data-cr" | "data-lf"
  | "extension-name" | "extension-name-rest" | "extension-value" | "extension-token" | "extension-quoted"
  | "extension-escape" | "extension-end" | "trailers" | "done";

/** Framing and routing in a trailer is of no use but to confuse (RFC 9110, 6.5.1). */
const forbiddenInTrailers = fieldMark.contentLength | fieldMark.transferEncoding | fieldMark.host | fieldMark.connection
  | fieldMark.upgrade | fieldMark.expect;

const noBytes = new Uint8Array(0);
const scanner = new FieldScanner();

/**
 * Takes the chunked coding off, strictly and incrementally: one event per call, so that the caller can stop
 * between any two. Chunk extensions are checked and dropped. Bodies of any size, split anywhere, cost constant
 * memory but for the trailers.
 */
export class ChunkedDecoder {
  /** How far the bytes of the last `next` are used. */
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  /** After "end": undefined when there were none. */
  trailers: HeaderList | undefined = undefined;
  /** After "malformed" and the events that tell of a limit. */
  fault = "";
  readonly #limits: ChunkedLimits;
  #state: State = "size";
  #remaining = 0;
  #digits = 0;
  #extensionBytes = 0;
  #held: Uint8Array = noBytes;
  #heldLength = 0;

  constructor(limits: ChunkedLimits) {
    this.#limits = limits;
  }

  /** Goes on in `bytes[from..to)`, which must begin where the last call stopped (`position`). */
  next(bytes: Uint8Array, from: number, to: number): ChunkedEvent {
    let i = from;
    while (i < to) {
      if (this.#state === "data") {
        const end = Math.min(to, i + this.#remaining);
        this.dataStart = i;
        this.dataEnd = end;
        this.#remaining -= end - i;
        if (this.#remaining === 0) this.#state = "data-cr";
        this.position = end;
        return "data";
      }
      if (this.#state === "trailers") return this.#trailerSection(bytes, i, to);
      if (this.#state === "done") break;
      const event = this.#step(bytes[i] as number);
      i++;
      if (event !== undefined) {
        this.position = i;
        return event;
      }
    }
    this.position = i;
    return this.#state === "done" ? "end" : "more";
  }

  /** One byte of what stands around the data. */
  #step(byte: number): "malformed" | "extensions-too-large" | undefined {
    switch (this.#state) {
      case "size":
      case "size-digits": {
        const digit = hexadecimal(byte);
        if (digit >= 0) {
          if (++this.#digits > maximumSizeDigits) return this.#refuse("a chunk size has too many digits");
          this.#remaining = this.#remaining * 16 + digit;
          if (this.#remaining > Number.MAX_SAFE_INTEGER) return this.#refuse("a chunk size is too large");
          this.#state = "size-digits";
          return undefined;
        }
        if (this.#state === "size") return this.#refuse("a chunk size is missing");
        return this.#afterSize(byte);
      }
      case "size-lf":
        if (byte !== lf) return this.#refuse("a CR stands without LF");
        this.#digits = 0;
        this.#state = this.#remaining === 0 ? "trailers" : "data";
        return undefined;
      case "data-cr":
        if (byte !== cr) return this.#refuse("chunk data is longer than its size");
        this.#state = "data-lf";
        return undefined;
      case "data-lf":
        if (byte !== lf) return this.#refuse("a CR stands without LF");
        this.#state = "size";
        return undefined;
      default:
        return this.#extension(byte);
    }
  }

  #afterSize(byte: number): "malformed" | "extensions-too-large" | undefined {
    if (byte === cr) {
      this.#state = "size-lf";
      return undefined;
    }
    if (byte !== semicolon) return this.#refuse("a chunk size is not hexadecimal");
    this.#state = "extension-name";
    return this.#countExtension();
  }

  /** `;name`, `;name=token` or `;name="quoted"`, without blanks (RFC 9112, 7.1.1, less its BAD white space). */
  #extension(byte: number): "malformed" | "extensions-too-large" | undefined {
    const token = tokenBytes[byte] !== 0;
    switch (this.#state) {
      case "extension-name":
        if (!token) return this.#refuse("a chunk extension has no name");
        this.#state = "extension-name-rest";
        break;
      case "extension-name-rest":
        if (token) break;
        if (byte !== equals) return this.#afterSize(byte);
        this.#state = "extension-value";
        break;
      case "extension-value":
        if (byte === quote) this.#state = "extension-quoted";
        else if (token) this.#state = "extension-token";
        else return this.#refuse("a chunk extension has no value");
        break;
      case "extension-token":
        if (!token) return this.#afterSize(byte);
        break;
      case "extension-quoted":
        if (byte === quote) this.#state = "extension-end";
        else if (byte === backslash) this.#state = "extension-escape";
        else if (!isText(byte)) return this.#refuse("a chunk extension holds a control character");
        break;
      case "extension-escape":
        if (!isText(byte)) return this.#refuse("a chunk extension holds a control character");
        this.#state = "extension-quoted";
        break;
      default:
        return this.#afterSize(byte);
    }
    return this.#countExtension();
  }

  #countExtension(): "extensions-too-large" | undefined {
    if (++this.#extensionBytes <= maximumExtensionBytes) return undefined;
    this.fault = "the chunk extensions are too large";
    return "extensions-too-large";
  }

  #trailerSection(bytes: Uint8Array, from: number, to: number): ChunkedEvent {
    if (this.#heldLength === 0 && to - from >= 2 && bytes[from] === cr && bytes[from + 1] === lf) {
      this.#state = "done";
      this.position = from + 2;
      return "end";
    }
    const before = this.#heldLength;
    const room = this.#limits.maxTrailersSize + 2 - before;
    const taken = Math.min(to - from, room);
    this.#hold(bytes, from, from + taken);
    const complete = endsAt(this.#held, Math.max(0, before - 3), this.#heldLength);
    if (complete === 0 && taken === to - from) {
      this.position = to;
      return "more";
    }
    if (complete === 0) {
      this.position = from + taken;
      this.fault = "the trailers are too large";
      return "trailers-too-large";
    }
    const end = scanner.scan(this.#held, 0, complete, this.#limits.maxTrailerCount);
    this.position = from + complete - before;
    if (end === headTooManyFields) {
      this.fault = "there are too many trailers";
      return "trailers-too-large";
    }
    if (end === headMalformed || end === headIncomplete || end !== complete) {
      return this.#refuse(end === headMalformed ? scanner.fault : "the trailers are malformed");
    }
    if ((scanner.marks & forbiddenInTrailers) !== 0) return this.#refuse("the trailers hold a field for framing or routing");
    if (scanner.count > 0) {
      this.trailers = scanner.list(Buffer.from(this.#held.buffer, 0, complete).toString("latin1"), 0);
    }
    this.#held = noBytes;
    this.#state = "done";
    return "end";
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (length > this.#held.length) {
      const larger = new Uint8Array(Math.max(256, length, this.#held.length * 2));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(from, to), this.#heldLength);
    this.#heldLength = length;
  }

  #refuse(fault: string): "malformed" {
    this.fault = fault;
    return "malformed";
  }
}

/** The place behind the first empty line in `bytes[0..to)`, looking from `from` on; 0 when there is none. */
function endsAt(bytes: Uint8Array, from: number, to: number): number {
  if (to >= 2 && bytes[0] === cr && bytes[1] === lf) return 2;
  for (let i = from; i + 3 < to; i++) {
    if (bytes[i] === cr && bytes[i + 1] === lf && bytes[i + 2] === cr && bytes[i + 3] === lf) return i + 4;
  }
  return 0;
}

function hexadecimal(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function isText(byte: number): boolean {
  return byte === 9 || (byte >= 32 && byte !== 127);
}
