import type { BodySink } from "../../body.ts";
import { ExchangeStateError } from "../../errors.ts";
import type { Tunnel } from "../../exchange.ts";
import { IncomingBytes } from "./incoming-bytes.ts";
import { resetCode } from "./reset-code.ts";
import type { Http2Stream } from "./stream.ts";

/** A tunnel over one stream, after an extended CONNECT (RFC 8441): END_STREAM is its FIN, RST_STREAM its reset. */
export class Http2Tunnel implements Tunnel {
  readonly #stream: Http2Stream;
  readonly #bytes: IncomingBytes;
  readonly #onAborted: (cause: Error) => void;
  #started = false;
  #lost: Error | undefined = undefined;
  #drain: (() => void) | undefined = undefined;
  #shutdown: (() => void) | undefined = undefined;
  #shuttingDown = false;

  /** `onDropped`: bytes came that nobody will read. `onAborted`: `abort` was called, and the stream is reset. */
  constructor(stream: Http2Stream, onDropped: (count: number) => void, onAborted: (cause: Error) => void) {
    this.#stream = stream;
    this.#onAborted = onAborted;
    this.#bytes = new IncomingBytes((count) => stream.used(count), onDropped);
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("the tunnel is being read already");
    this.#started = true;
    if (this.#lost !== undefined) sink.onError(this.#lost);
    else this.#bytes.read(sink);
  }

  pause(): void {
    this.#bytes.pause();
  }

  resume(): void {
    this.#bytes.resume();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#lost !== undefined || chunk.length === 0) return true;
    return this.#stream.write(chunk);
  }

  get pending(): number {
    return this.#stream.queued;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    if (this.#lost === undefined) this.#stream.end(undefined);
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
    this.#stream.reset(resetCode(cause));
    this.lost(cause);
    this.#onAborted(cause);
  }

  /** Bytes that came. */
  take(bytes: Buffer, from: number, to: number, lasting: boolean): void {
    this.#bytes.take(bytes, from, to, lasting);
  }

  /** The client has half-closed. */
  ended(): void {
    this.#bytes.finish(undefined);
  }

  drained(): void {
    this.#drain?.();
  }

  /** The stream is gone, and had not ended both ways before. */
  lost(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = cause;
    this.#drain = undefined;
    this.#bytes.fail(cause);
  }
}
