/**
 * The streams of one connection, on either side, and what they share (RFC 9113, 5): both windows of the connection, the turns in which they
 * send, the output, and the count of what a peer does too often.
 */
import { FloodGuard, type FloodLimits } from "./flood-guard.ts";
import { FrameWriter } from "./frame-writer.ts";
import { errorCode, minimumMaxFrameSize } from "./frames.ts";
import type { Output } from "./output.ts";
import { initialWindow, maximumWindow } from "./peer-settings.ts";
import { SendTurns } from "./send-turns.ts";
import type { Http2Stream, StreamListener, StreamOwner } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Bytes that the system has not taken: from here on bodies wait. */
const maximumUnsent = 131_072;

export interface ConnectionStreamsOptions {
  readonly output: Output;
  /** Bytes of all bodies of the connection that may be on their way to us. */
  readonly window: number;
  /** Bytes that may wait on one stream before `write` gives false. */
  readonly maximumQueued: number;
  /** Milliseconds, perhaps a tick old. */
  readonly now: () => number;
  readonly floods: FloodLimits;
}

export abstract class ConnectionStreams<L extends StreamListener = StreamListener> implements StreamOwner {
  readonly table = new StreamTable<L>();
  readonly writer: FrameWriter;
  readonly maximumQueued: number;
  readonly floods: FloodGuard;
  sendWindow = initialWindow;
  protected readonly output: Output;
  readonly #window: number;
  readonly #turns = new SendTurns();
  #receiveWindow: number;
  /** Bytes that were used and not yet given back. */
  #used = 0;
  #pumping = false;

  constructor({ output, window, maximumQueued, now, floods }: ConnectionStreamsOptions) {
    this.output = output;
    this.#window = this.#receiveWindow = window;
    this.maximumQueued = maximumQueued;
    this.writer = new FrameWriter(output);
    this.floods = new FloodGuard(now, floods);
  }

  /** The connection ends with this GOAWAY. */
  abstract connectionFault(code: number, message: string): void;

  /** What `stream` carries has thrown: a fault of ours, which ends this stream alone. */
  abstract listenerFailed(stream: Http2Stream<L>, error: unknown): void;

  get windowClosed(): boolean {
    return this.#receiveWindow < minimumMaxFrameSize;
  }

  // -- What streams ask

  mayWrite(): boolean {
    return this.#turns.empty && this.output.unsent < maximumUnsent;
  }

  awaitTurn(stream: Http2Stream): void {
    this.#turns.add(stream);
  }

  abstract endWritten(stream: Http2Stream<L>): void;

  abstract closed(stream: Http2Stream<L>): void;

  resetWritten(stream: Http2Stream): void {
    if (!stream.remoteClosed) this.table.rememberReset(stream.id);
  }

  credit(count: number): void {
    this.#used += count;
    if (this.#used < this.#window / 2) return;
    this.#receiveWindow += this.#used;
    this.writer.windowUpdate(0, this.#used);
    this.#used = 0;
  }

  // -- What frames do

  /** DATA of `length` bytes comes. False: more than the window of the connection. */
  receive(length: number): boolean {
    if (length > this.#receiveWindow) return false;
    this.#receiveWindow -= length;
    return true;
  }

  /** The peer takes `increment` bytes more on all streams together. False: more than can be. */
  widen(increment: number): boolean {
    this.sendWindow += increment;
    if (this.sendWindow > maximumWindow) return false;
    this.#pump();
    return true;
  }

  /** The peer takes `increment` bytes more on one stream. False: more than can be. */
  widenStream(stream: Http2Stream, increment: number): boolean {
    if (stream.sendWindow + increment > maximumWindow) return false;
    stream.sendWindow += increment;
    if (stream.ready) this.#turns.add(stream);
    this.#pump();
    return true;
  }

  /** The windows of all streams change by what the first one did (RFC 9113, 6.9.2). False: beyond what can be. */
  changeWindows(change: number): boolean {
    for (const stream of this.table.open.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maximumWindow) return false;
      if (stream.ready) this.#turns.add(stream);
    }
    this.#pump();
    return true;
  }

  /** A frame of `size` bytes changes nothing. */
  nothing(size: number): void {
    if (!this.floods.idleFrame(size, this.output.position)) this.calm("too many frames that carry nothing");
  }

  /** The connection ends for what the peer does too often. */
  calm(reason: string): void {
    this.connectionFault(errorCode.enhanceYourCalm, reason);
  }

  /** The system has taken all that was written up to `position`. */
  taken(_position: number): void {
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.sendWindow > 0 && this.output.unsent < maximumUnsent) {
      const stream = this.#turns.next() as Http2Stream<L> | undefined;
      if (stream === undefined) break;
      try {
        if (stream.takeTurn()) this.#turns.add(stream);
      } catch (error) {
        this.listenerFailed(stream, error);
      }
    }
    this.#pumping = false;
  }
}
