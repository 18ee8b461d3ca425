import { resetSocket } from "../../reset-socket.ts";
import type { MinDataRate } from "../../server-limits.ts";
import type { ConnectionDeadlines } from "./connection-deadlines.ts";
import type { ConnectionSocket } from "./connection-socket.ts";

/** Told how the output of a connection goes. */
export interface OutputOwner {
  /** The system has taken all, as `whenTaken` asked. */
  outputTaken(): void;
  /** Something was written though the client has half-closed. */
  writtenHalfClosed(): void;
  /** The connection was reset. */
  failed(error: Error): void;
}

const nothing = new Uint8Array(0);

/**
 * What a connection writes to its client: knows when the system has taken it, and gives the client only so much time to read as the
 * minimum data rate says.
 */
export class ClientOutput {
  /** What is written has no effect: the last answer was sent, or another process has the connection. */
  closed = false;
  /** The client has sent its FIN. */
  halfClosed = false;
  /** Nobody looks at how fast the client reads: a tunnel may be silent. */
  unwatched = false;
  readonly #socket: ConnectionSocket;
  readonly #deadlines: ConnectionDeadlines;
  readonly #minimum: MinDataRate | undefined;
  readonly #owner: OutputOwner;
  /**
   * Over TLS no write is complete when it returns: each has a callback. An empty one that comes after the last, as elsewhere, would be
   * a write of its own to the system.
   */
  readonly #onWritten: ((error?: Error | null) => void) | undefined;
  #awaitsTaken = false;
  /** Bytes written to the socket when the write deadline was set: by then the system must have taken them all. */
  #mark = 0;

  /** `writesLate`: no write is complete when it returns. */
  constructor(
    socket: ConnectionSocket, deadlines: ConnectionDeadlines, minimum: MinDataRate | undefined, writesLate: boolean, owner: OutputOwner,
  ) {
    this.#socket = socket;
    this.#deadlines = deadlines;
    this.#minimum = minimum;
    this.#owner = owner;
    this.#onWritten = writesLate ? (error) => this.#written(error) : undefined;
  }

  /** Bytes that the system has not taken. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  /** Sends latin1 text; false when the socket's buffer is full. */
  writeText(text: string): boolean {
    if (this.closed) return true;
    if (this.#onWritten === undefined) this.#socket.write(text, "latin1");
    else this.#socket.write(text, "latin1", this.#onWritten);
    return this.#afterWrite();
  }

  /** False when the socket's buffer is full. */
  writeBytes(bytes: Uint8Array): boolean {
    if (this.closed) return true;
    if (this.#onWritten === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, this.#onWritten);
    return this.#afterWrite();
  }

  /** What is written in between leaves as one. */
  cork(): void {
    this.#socket.cork();
  }

  /** Ends `cork`; false when the socket's buffer is full. */
  uncork(): boolean {
    this.#socket.uncork();
    return this.#afterWrite();
  }

  /** Tells the owner, once, when the system has taken all that was written so far; false when it has: then nothing is told. */
  whenTaken(): boolean {
    if (this.#socket.writableLength === 0) return false;
    if (this.#onWritten !== undefined) this.#awaitsTaken = true;
    else {
      this.#socket.write(nothing, (error) => {
        if (error == null) this.#owner.outputTaken();
      });
    }
    return true;
  }

  /** The client did not take in time what was written. False: it reads too slowly, and was cut off. */
  overdue(): boolean {
    const socket = this.#socket;
    const unsent = socket.writableLength;
    if (unsent === 0) return true;
    if (socket.bytesWritten - unsent < this.#mark) {
      this.#owner.failed(new Error("the client reads too slowly"));
      resetSocket(socket);
      return false;
    }
    // What is unsent now was written later. No "drain" told, since the buffer was never full.
    this.#watchReader(unsent);
    return true;
  }

  #written(error: Error | null | undefined): void {
    if (!this.#awaitsTaken || error != null || this.#socket.writableLength > 0) return;
    this.#awaitsTaken = false;
    this.#owner.outputTaken();
  }

  /** Watches the client's reading; true when more can be written. */
  #afterWrite(): boolean {
    if (this.halfClosed) this.#owner.writtenHalfClosed();
    const socket = this.#socket;
    const unsent = socket.writableLength;
    if (unsent === 0) {
      this.#deadlines.clearWrite();
      return true;
    }
    if (!this.unwatched && !this.#deadlines.writeIsSet) this.#watchReader(unsent);
    return !socket.writableNeedDrain;
  }

  /** Gives the client time to take the bytes that are `unsent` now. */
  #watchReader(unsent: number): void {
    const minimum = this.#minimum;
    if (minimum === undefined) return;
    this.#mark = this.#socket.bytesWritten;
    this.#deadlines.setWrite(minimum.gracePeriod + (unsent / minimum.bytesPerSecond) * 1000);
  }
}
