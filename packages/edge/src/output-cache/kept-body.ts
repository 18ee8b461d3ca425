import type { HeaderList } from "@proxy/http";

/** Where bodies find room. */
export interface BodyRoom {
  /** Room for `bytes` more of a body, of which `total` are there then. */
  reserve(bytes: number, total: number): boolean;
}

/** A body as it comes, in memory of its own. */
export class KeptBody {
  readonly #room: BodyRoom;
  /** Undefined: only the end tells. */
  readonly #declared: number | undefined;
  #whole: Buffer | undefined;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(headers: HeaderList, room: BodyRoom) {
    this.#room = room;
    const declared = headers.get("content-length");
    this.#declared = declared === undefined ? undefined : Number(declared);
  }

  /** The copy that is kept; undefined where it is too much. */
  add(chunk: Uint8Array): Buffer | undefined {
    const before = this.#length;
    const total = before + chunk.length;
    const declared = this.#declared;
    if (declared !== undefined && total > declared) return undefined;
    if (declared === undefined || before === 0) {
      if (!this.#room.reserve(declared ?? chunk.length, declared ?? total)) return undefined;
    }
    this.#length = total;
    if (declared === undefined) {
      const copy = Buffer.allocUnsafeSlow(chunk.length);
      copy.set(chunk);
      this.#chunks.push(copy);
      return copy;
    }
    this.#whole ??= Buffer.allocUnsafeSlow(declared);
    this.#whole.set(chunk, before);
    return this.#whole.subarray(before, total);
  }

  /** What holds the pieces that `add` gave: `whole`, or they stand for themselves. */
  sent(whole: Buffer): object {
    return this.#declared !== undefined || this.#chunks[0] === whole ? whole : this;
  }

  /** Undefined: something is missing. */
  whole(): Buffer | undefined {
    if (this.#declared !== undefined) return this.#length === this.#declared ? (this.#whole ?? Buffer.alloc(0)) : undefined;
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const all = Buffer.allocUnsafeSlow(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    return all;
  }
}
