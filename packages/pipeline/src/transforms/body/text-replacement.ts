import type { BodyPiece, BodyTransform } from "@proxy/forwarder";

const nothing = Buffer.alloc(0);

/**
 * Replaces each occurrence of `find` (not empty) by `replacement`, from left to right, wherever chunks begin and end. Holds back no more than
 * what may be the beginning of another one.
 */
export class TextReplacement implements BodyTransform {
  readonly #find: Buffer;
  readonly #replacement: Buffer;
  #held: Buffer = nothing;

  constructor(find: Buffer, replacement: Buffer) {
    this.#find = find;
    this.#replacement = replacement;
  }

  chunk(chunk: Uint8Array): BodyPiece {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const data = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = data.indexOf(this.#find); at >= 0; at = data.indexOf(this.#find, from)) {
      pieces.push(data.subarray(from, at), this.#replacement);
      from = at + this.#find.length;
    }
    const begun = this.#beginning(data, from);
    this.#held = data.subarray(begun);
    pieces.push(data.subarray(from, begun));
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  end(): BodyPiece {
    return this.#held;
  }

  /** Where the longest part at the end begins, from `from` on, that begins `find`. */
  #beginning(data: Buffer, from: number): number {
    const find = this.#find;
    let at = Math.max(from, data.length - find.length + 1);
    for (; at < data.length; at++) {
      const length = data.length - at;
      if (data[at] === find[0] && data.compare(find, 0, length, at) === 0) break;
    }
    return at;
  }
}
