/**
 * One stream of a connection (RFC 9113, 5): its states, its windows, and the bytes that wait to be sent on it. What the
 * streams mean is their listener's.
 */
import type { HeaderLine, HeaderList } from "../../header-list.ts";
import { minimumMaxFrameSize } from "./frames.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** What a stream carries. */
export interface StreamListener {
  /** Bytes of DATA. Not `lasting`: they are overwritten when this returns. */
  received(bytes: Buffer, from: number, to: number, lasting: boolean): void;
  /** The peer has ended its side. */
  receivedEnd(trailers: HeaderList | undefined): void;
  /** What waited was sent so far that more may be written. */
  drained(): void;
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  readonly writer: FrameWriter;
  /** Bytes that the peer takes on all streams together. */
  sendWindow: number;
  /** Bytes that may wait on one stream before `write` gives false. */
  readonly maximumQueued: number;
  /** Whether a stream may write now: nobody waits for his turn, and the socket takes more. */
  mayWrite(): boolean;
  /** A stream has something to send that its window allows. */
  awaitTurn(stream: Http2Stream): void;
  /** The end of our side was written. */
  endWritten(stream: Http2Stream): void;
  /** Both sides are over. */
  closed(stream: Http2Stream): void;
  /** We reset a stream: what comes on it means nothing any more. */
  resetWritten(stream: Http2Stream): void;
  /** The peer may send `count` bytes more on the connection. */
  credit(count: number): void;
}

/** Chunks below this are copied together while they wait: an object for each would cost many times their bytes. */
const smallChunk = 1024;
const tailSize = 4096;

/** Bytes of one body that may be on their way to us. */
export const streamWindow = 262_144;

export class Http2Stream<L extends StreamListener = StreamListener> {
  readonly id: number;
  listener!: L;
  /** Bytes that the peer takes. May be below zero (RFC 9113, 6.9.2). */
  sendWindow: number;
  /** Bytes that the peer may send. */
  receiveWindow = streamWindow;
  /** The peer has ended, or reset, the stream. */
  remoteClosed: boolean;
  /** We have. */
  localClosed = false;
  /** Stands in the queue of those that have something to send. */
  queuedForTurn = false;
  /** Where the end of our side stands in the output of the connection. */
  endPosition = 0;
  /** Bytes that wait to be sent. */
  queued = 0;
  /** Bytes of body that were sent. */
  sent = 0;
  readonly #owner: StreamOwner;
  #chunks: Uint8Array[] | undefined = undefined;
  /** Memory of our own that the last chunk is the beginning of: what is small is written behind it. */
  #tail: Buffer | undefined = undefined;
  /** Bytes of the first chunk that were sent. */
  #offset = 0;
  #ending = false;
  #trailers: readonly HeaderLine[] | undefined = undefined;
  #wantsDrain = false;
  /** Bytes that were used and not yet given back. */
  #used = 0;

  constructor(owner: StreamOwner, id: number, sendWindow: number, remoteClosed: boolean) {
    this.#owner = owner;
    this.id = id;
    this.sendWindow = sendWindow;
    this.remoteClosed = remoteClosed;
  }

  /** Both sides are over: no frame changes anything. */
  get closed(): boolean {
    return this.localClosed && this.remoteClosed;
  }

  /** Something waits that the window allows. */
  get ready(): boolean {
    return this.queued > 0 ? this.sendWindow > 0 : this.#ending && !this.localClosed;
  }

  // -- Sending

  /** Sends `chunk` as far as flow control and the socket allow; the rest waits. False: wait for `drained`. */
  write(chunk: Uint8Array): boolean {
    if (this.localClosed) return true;
    const owner = this.#owner;
    let from = 0;
    if (this.queued === 0) {
      while (from < chunk.length && this.sendWindow > 0 && owner.sendWindow > 0 && owner.mayWrite()) from = this.#send(chunk, from);
    }
    if (from === chunk.length) return true;
    if (from > 0) this.#queue(chunk.subarray(from));
    else this.#queue(chunk);
    if (this.queued < owner.maximumQueued) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** As `write` and `end`, for latin1 text. */
  endWithText(text: string): void {
    const owner = this.#owner;
    const { length } = text;
    if (length <= minimumMaxFrameSize && length <= this.sendWindow && length <= owner.sendWindow && owner.mayWrite()) {
      this.sendWindow -= length;
      owner.sendWindow -= length;
      this.sent += length;
      owner.writer.text(this.id, text, true);
      this.closeLocal();
    } else {
      this.write(Buffer.from(text, "latin1"));
      this.end(undefined);
    }
  }

  /** Ends our side behind what waits. */
  end(trailers: readonly HeaderLine[] | undefined): void {
    if (this.localClosed) return;
    this.#ending = true;
    this.#trailers = trailers;
    if (this.queued === 0) this.#sendEnd();
  }

  /** Sends one frame of what waits. True when more could follow. */
  takeTurn(): boolean {
    if (this.localClosed) return false;
    const owner = this.#owner;
    const chunk = this.#chunks?.[0];
    if (chunk !== undefined && this.sendWindow > 0 && owner.sendWindow > 0) {
      const from = this.#offset;
      const to = this.#send(chunk, from);
      this.queued -= to - from;
      if (to < chunk.length) {
        this.#offset = to;
      } else {
        this.#chunks?.shift();
        this.#offset = 0;
        if (this.#chunks?.length === 0) this.#tail = undefined;
      }
    }
    if (this.queued === 0 && this.#ending) this.#sendEnd();
    else if (this.#wantsDrain && this.queued === 0) {
      this.#wantsDrain = false;
      this.listener.drained();
    }
    return !this.localClosed && this.ready;
  }

  #send(chunk: Uint8Array, from: number): number {
    const owner = this.#owner;
    const count = Math.min(chunk.length - from, this.sendWindow, owner.sendWindow, minimumMaxFrameSize);
    this.sendWindow -= count;
    owner.sendWindow -= count;
    this.sent += count;
    owner.writer.data(this.id, chunk, from, from + count, false);
    return from + count;
  }

  #queue(chunk: Uint8Array): void {
    const chunks = (this.#chunks ??= []);
    if (chunk.length >= smallChunk) {
      this.#tail = undefined;
      chunks.push(chunk);
    } else {
      this.#queueSmall(chunks, chunk);
    }
    this.queued += chunk.length;
    if (this.sendWindow > 0) this.#owner.awaitTurn(this);
  }

  #queueSmall(chunks: Uint8Array[], chunk: Uint8Array): void {
    const used = this.#tail === undefined ? tailSize : (chunks[chunks.length - 1] as Uint8Array).length;
    if (used + chunk.length <= tailSize) {
      const tail = this.#tail as Buffer;
      tail.set(chunk, used);
      chunks[chunks.length - 1] = tail.subarray(0, used + chunk.length);
    } else {
      const tail = (this.#tail = Buffer.allocUnsafeSlow(tailSize));
      tail.set(chunk);
      chunks.push(tail.subarray(0, chunk.length));
    }
  }

  #sendEnd(): void {
    const { writer } = this.#owner;
    const trailers = this.#trailers;
    if (trailers === undefined || trailers.length === 0) writer.endStream(this.id);
    else writer.trailers(this.id, trailers);
    this.closeLocal();
  }

  /** The end of our side was written. */
  closeLocal(): void {
    this.localClosed = true;
    this.#owner.endWritten(this);
    if (this.remoteClosed) this.#owner.closed(this);
  }

  /** Ends both sides at once (RFC 9113, 5.4.2). */
  reset(code: number): void {
    if (this.closed) return;
    this.#owner.writer.reset(this.id, code);
    this.#owner.resetWritten(this);
    this.cut();
  }

  /** Both sides are over, without a word. */
  cut(): void {
    const closed = this.closed;
    this.localClosed = this.remoteClosed = true;
    this.#chunks = this.#tail = undefined;
    this.queued = 0;
    if (!closed) this.#owner.closed(this);
  }

  // -- Receiving

  /** The peer has ended its side. */
  closeRemote(): void {
    this.remoteClosed = true;
    if (this.localClosed) this.#owner.closed(this);
  }

  /** The reader has used `count` bytes: told to the peer when it is worth a frame. */
  used(count: number): void {
    this.#owner.credit(count);
    if (this.remoteClosed) return;
    this.#used += count;
    if (this.#used < streamWindow / 2) return;
    this.receiveWindow += this.#used;
    this.#owner.writer.windowUpdate(this.id, this.#used);
    this.#used = 0;
  }
}
