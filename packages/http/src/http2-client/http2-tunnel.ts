import { constants, type Http2Stream } from "node:http2";
import type { BodySink } from "../body.ts";
import { ExchangeStateError } from "../errors.ts";
import type { Tunnel } from "../exchange.ts";
import { resetCode } from "../engine/http2/reset-code.ts";
import { JoinedWrites } from "./joined-writes.ts";
import { resetStream } from "./reset-stream.ts";

/** A tunnel over one stream, after an extended CONNECT (RFC 8441): END_STREAM is its FIN, RST_STREAM its reset. */
export class Http2Tunnel implements Tunnel {
  readonly #stream: Http2Stream;
  readonly #writes: JoinedWrites;
  readonly #onBytes: (count: number) => void;
  #sink: BodySink | undefined;
  #started = false;
  #paused = false;
  #peerEnded = false;
  #lost: Error | undefined;
  #drain: (() => void) | undefined;
  #shutdown: (() => void) | undefined;
  #shuttingDown = false;

  constructor(stream: Http2Stream, onBytes: (count: number) => void) {
    this.#stream = stream;
    this.#onBytes = onBytes;
    this.#writes = new JoinedWrites(stream, () => this.#drain?.());
    stream.on("drain", () => this.#drain?.());
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("the tunnel is being read already");
    this.#started = true;
    if (this.#lost !== undefined) {
      sink.onError(this.#lost);
      return;
    }
    this.#sink = sink;
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => {
      this.#onBytes(chunk.length);
      this.#sink?.onData(chunk);
    });
    stream.on("end", () => {
      if (stream.rstCode !== 0 || stream.aborted) return;
      this.#peerEnded = true;
      this.#finish();
    });
    if (this.#paused) stream.pause();
    else stream.resume();
  }

  pause(): void {
    this.#paused = true;
    if (this.#sink !== undefined) this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#sink !== undefined) this.#stream.resume();
  }

  write(chunk: Uint8Array): boolean {
    const stream = this.#stream;
    if (this.#lost !== undefined || chunk.length === 0 || stream.destroyed || stream.writableEnded) return true;
    return this.#writes.write(chunk);
  }

  get pending(): number {
    return this.#stream.destroyed ? 0 : this.#stream.writableLength + this.#writes.held;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#writes.release();
    this.#stream.end();
  }

  onShutdown(listener: () => void): void {
    if (this.#shuttingDown) listener();
    else this.#shutdown = listener;
  }

  /** The server begins to close. */
  shutDown(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#shutdown?.();
  }

  abort(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.closed(cause);
    resetStream(this.#stream, resetCode(cause));
  }

  /** The stream is closed. `cause` counts when the client had not ended before. */
  closed(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = cause;
    this.#writes.drop();
    this.#drain = undefined;
    const sink = this.#sink;
    this.#sink = undefined;
    if (this.#peerEnded || this.#clean()) sink?.onEnd(undefined);
    else sink?.onError(cause);
  }

  #clean(): boolean {
    // The streams of a connection that was cut have ended too, and without a code.
    return this.#stream.readableEnded && this.#stream.rstCode === constants.NGHTTP2_NO_ERROR && !this.#stream.aborted;
  }

  #finish(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(undefined);
  }
}
