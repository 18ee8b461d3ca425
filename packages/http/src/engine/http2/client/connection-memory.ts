import { readBuffers } from "../../read-buffers.ts";

/**
 * The memory that a connection is read into: the one that all share while little comes, and a piece of its own in the middle of large
 * bodies, so that chunks can be handed on without a copy. Who keeps a part of it keeps that piece, and the next read gets another.
 */
export class ConnectionMemory {
  #own: Buffer | undefined = undefined;
  /** What the socket is told to read into next, when that changes. */
  #next: Buffer | undefined = undefined;
  #lasting = false;
  #kept = false;

  /** For the socket: undefined is the same again. */
  next(): Buffer | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  /** `bytes` were read into. True when they may be kept. */
  begin(bytes: Buffer): boolean {
    this.#lasting = bytes === this.#own;
    this.#kept = false;
    return this.#lasting;
  }

  /** A part of them is kept. */
  keep(): void {
    this.#kept = true;
  }

  /** What was read, `count` bytes, is dealt with. */
  end(count: number): void {
    const shared = readBuffers.shared.length;
    if (this.#lasting) {
      if (this.#kept) this.#own = undefined;
      if (count >= shared) this.#next = this.#own === undefined ? this.#take() : undefined;
      else this.#leave();
    } else if (count === shared) {
      this.#next = this.#take();
    }
  }

  /** The connection is closed. */
  release(): void {
    if (this.#own !== undefined) readBuffers.give(this.#own);
    this.#own = undefined;
  }

  #take(): Buffer {
    this.#own = readBuffers.take();
    return this.#own;
  }

  #leave(): void {
    this.release();
    this.#next = readBuffers.shared;
  }
}
