import type { Http2Stream } from "node:http2";

/** Chunks below this are copied together while others wait: Node keeps some 600 bytes for each write. */
const smallChunk = 1024;
const heldSize = 4096;
const noBytes = Buffer.alloc(0);

/** What is written to a stream of Node's, small chunks joined for as long as the stream has not taken what was written before. */
export class JoinedWrites {
  readonly #stream: Http2Stream;
  readonly #onRoom: () => void;
  /** Writes that the stream has not taken yet. */
  #writing = 0;
  #memory = noBytes;
  /** Bytes that are held. */
  held = 0;

  /** `onRoom`: the stream has taken all, and does not tell so by "drain". */
  constructor(stream: Http2Stream, onRoom: () => void) {
    this.#stream = stream;
    this.#onRoom = onRoom;
  }

  /** Must not be called once the stream was ended. False: wait for "drain" or `onRoom`. */
  write(chunk: Uint8Array): boolean {
    if (this.#writing > 0 && chunk.length < smallChunk) return this.#hold(chunk);
    this.release();
    this.#writing++;
    return this.#stream.write(chunk, this.#written);
  }

  /** What is held goes to the stream: to be called before its end. */
  release(): void {
    if (this.held === 0) return;
    const bytes = this.#memory.subarray(0, this.held);
    this.drop();
    this.#writing++;
    this.#stream.write(bytes, this.#written);
  }

  /** What is held is not wanted any more. */
  drop(): void {
    this.#memory = noBytes;
    this.held = 0;
  }

  #hold(chunk: Uint8Array): boolean {
    if (this.held + chunk.length > heldSize) this.release();
    if (this.held === 0) this.#memory = Buffer.allocUnsafeSlow(heldSize);
    this.#memory.set(chunk, this.held);
    this.held += chunk.length;
    const stream = this.#stream;
    return !stream.writableNeedDrain && stream.writableLength + this.held < stream.writableHighWaterMark;
  }

  /** The stream has taken a write, or is gone. */
  readonly #written = (): void => {
    const stream = this.#stream;
    if (--this.#writing > 0 || stream.destroyed || stream.writableEnded) return;
    this.release();
    if (!stream.writableNeedDrain) this.#onRoom();
  };
}
