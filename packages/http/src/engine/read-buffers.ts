/**
 * The memory that sockets are read into. One buffer serves all connections of clients, and those to destinations that
 * wait for a head: the system fills it and the callback uses it up before anything else is read, so an idle connection
 * owns none. A connection to a destination in the middle of a body borrows one, so that chunks can be handed on
 * without a copy.
 */
export class ReadBuffers {
  /** Small, because what comes of a body together with its head is copied out of it. */
  readonly shared: Buffer = Buffer.allocUnsafeSlow(16_384);
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(65_536);
  }

  /** Gives a buffer back of which nobody holds a part any more. */
  give(buffer: Buffer): void {
    if (this.#spare.length < 32) this.#spare.push(buffer);
  }
}

/** The buffers of this thread. */
export const readBuffers = new ReadBuffers();
