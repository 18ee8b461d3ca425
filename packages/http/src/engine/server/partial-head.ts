const cr = 13;
const lf = 10;
const tab = 9;
const space = 32;
const del = 127;

/** What `PartialHead.look` says: more bytes are needed. */
export const partialIncomplete = 0;
/** The empty line is there: the head can be parsed. */
export const partialComplete = 1;
/** A byte that no head can hold. */
export const partialMalformed = 2;

/**
 * Watches a head that comes in pieces, so that it is parsed once, when it is whole, and each byte is looked at
 * twice at most however it was split. What no head can hold is seen at once.
 */
export class PartialHead {
  #looked = 0;
  /** Bytes since the last line end, and whether the last byte was a CR. */
  #column = 0;
  #afterCr = false;
  /** Line ends so far; an empty line before the request line counts as none, once. */
  #lines = 0;
  #emptyFirst = false;

  /** Forgets the head that was watched. */
  reset(): void {
    this.#looked = 0;
    this.#column = 0;
    this.#afterCr = false;
    this.#lines = 0;
    this.#emptyFirst = false;
  }

  /** Looks at what is new in `bytes[from..to)`, which begins with the head. */
  look(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from + this.#looked; i < to; i++) {
      const byte = bytes[i] as number;
      if (this.#afterCr) {
        if (byte !== lf) return partialMalformed;
        this.#afterCr = false;
        if (this.#column > 0) this.#lines++;
        else if (this.#lines > 0 || this.#emptyFirst) return partialComplete;
        else this.#emptyFirst = true;
        this.#column = 0;
      } else if (byte === cr) {
        this.#afterCr = true;
      } else if ((byte < space && byte !== tab) || byte === del) {
        return partialMalformed;
      } else {
        this.#column++;
      }
    }
    this.#looked = to - from;
    return partialIncomplete;
  }
}
