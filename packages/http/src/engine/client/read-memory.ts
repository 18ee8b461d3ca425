import { readBuffers } from "../read-buffers.ts";

/**
 * What a connection to a destination reads into: one in the middle of a body that comes in large pieces a buffer of its own, so that
 * these are handed on without a copy, all others the shared one, which the processor has at hand.
 */
export class ReadMemory {
  #own: Buffer | undefined = undefined;
  /** What the socket reads into next, when that changes. */
  #next: Buffer | undefined = undefined;

  /** What the first read goes to, by whichever socket. */
  get first(): Buffer {
    return readBuffers.shared;
  }

  /** Told to the socket after each read; undefined: the same one again. */
  takeNext(): Buffer | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  isOwn(buffer: Buffer): boolean {
    return buffer === this.#own;
  }

  /** Somebody keeps a part of its own buffer: it is theirs now. */
  giveUpOwn(): void {
    this.#own = undefined;
  }

  /** Chooses what is read into next, for `large` pieces or others; `own`: the last read went into its own buffer. */
  choose(large: boolean, own: boolean): void {
    if (large) {
      this.#own ??= this.#next = readBuffers.take();
      return;
    }
    if (this.#own !== undefined) readBuffers.give(this.#own);
    if (this.#own !== undefined || own) this.#next = readBuffers.shared;
    this.#own = undefined;
  }
}
