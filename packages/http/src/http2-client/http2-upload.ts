import type { ClientHttp2Stream } from "node:http2";
import type { BodySink, BodySource } from "../body.ts";
import type { HeaderList } from "../header-list.ts";
import { asError } from "../engine/client/engine-call.ts";
import type { Http2Call } from "./http2-call.ts";
import { trailerFields } from "./request-fields.ts";

/** Chunks below this are copied together while others wait: Node keeps ten times their bytes for each write. */
const smallChunk = 1024;
const heldSize = 4096;

/**
 * Carries a request body from its source to its stream: the declared length enforced, and the source held back while the
 * destination's windows are closed.
 */
export class Http2Upload implements BodySink {
  /** Content-Length, or undefined when only the end tells. */
  readonly size: number | undefined;
  /** Its end is told apart from its last byte, since trailers may follow. */
  readonly waitsForTrailers: boolean;
  /** The source was asked for the body, or told that nobody will. */
  started = false;
  /** All of it was given to the stream. */
  complete = false;
  readonly #call: Http2Call;
  readonly #source: BodySource;
  #remaining: number;
  #stream: ClientHttp2Stream | undefined;
  #trailers: Record<string, string | string[]> | undefined;
  #paused = false;
  #over = false;
  /** Writes that the stream has not taken yet. */
  #writing = 0;
  /** Small chunks that came meanwhile. */
  #held: Buffer | undefined;
  #heldCount = 0;

  constructor(call: Http2Call, source: BodySource, announced: boolean) {
    this.#call = call;
    this.#source = source;
    this.size = source.length;
    this.#remaining = source.length ?? 0;
    this.waitsForTrailers = source.length === undefined || (announced && source.length > 0);
  }

  /** It is on its way: begun, and neither whole nor given up. */
  get flowing(): boolean {
    return this.#stream !== undefined && !this.#over;
  }

  start(stream: ClientHttp2Stream): void {
    this.#stream = stream;
    this.started = true;
    try {
      this.#source.read(this);
    } catch (error) {
      this.#fail("the request body cannot be read", "gateway", error);
    }
  }

  /** The rest is not wanted. */
  drop(): void {
    this.#held = undefined;
    if (this.#over) return;
    this.#over = true;
    this.started = true;
    try {
      this.#source.cancel();
    } catch {
      // A source that cannot be cancelled has nothing more to say.
    }
  }

  onData(chunk: Uint8Array): boolean {
    const stream = this.#stream as ClientHttp2Stream;
    if (this.#over || stream.writableEnded || stream.destroyed) return true;
    let room = true;
    if (this.size !== undefined) {
      this.#remaining -= chunk.length;
      if (this.#remaining < 0) {
        this.#fail("the request body is longer than its declared length", "client", undefined);
        return true;
      }
    }
    // The last chunk takes the end along.
    if (this.size !== undefined && this.#remaining === 0 && !this.waitsForTrailers) {
      this.#release(stream);
      stream.end(chunk);
    } else {
      room = this.#write(stream, chunk);
    }
    if (!room && !this.#paused) {
      this.#paused = true;
      try {
        this.#source.pause();
      } catch (error) {
        this.#fail("the request body cannot be held back", "gateway", error);
        return true;
      }
    }
    this.#call.tellProgress();
    return stream.writableLength === 0 && this.#held === undefined;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#over) return;
    if (this.#remaining > 0) {
      this.#fail("the request body is shorter than its declared length", "client", undefined);
      return;
    }
    this.#trailers = trailerFields(trailers);
    if (this.#trailers === undefined) {
      this.#fail("a trailer holds an illegal character", "gateway", undefined);
      return;
    }
    this.#over = true;
    this.complete = true;
    const stream = this.#stream as ClientHttp2Stream;
    if (stream.writableEnded || stream.destroyed) return;
    this.#release(stream);
    stream.end();
  }

  onError(error: Error): void {
    if (!this.#over) this.#fail("the request body broke off", "client", error);
  }

  /** The stream has taken what it held. */
  drained(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#over) return;
    try {
      this.#source.resume();
    } catch (error) {
      this.#fail("the request body cannot be read", "gateway", error);
    }
  }

  /** The body left; what follows is the end of the stream. An empty section is an empty DATA frame. */
  sendTrailers(stream: ClientHttp2Stream): void {
    if (stream.destroyed || stream.closed) return;
    try {
      stream.sendTrailers(this.#trailers ?? {});
    } catch (error) {
      this.#call.stop("the trailers cannot be sent", { step: "request-body", source: "gateway", cause: asError(error) });
    }
  }

  #write(stream: ClientHttp2Stream, chunk: Uint8Array): boolean {
    if (this.#writing > 0 && chunk.length < smallChunk) return this.#hold(stream, chunk);
    this.#release(stream);
    this.#writing++;
    return stream.write(chunk, this.#written);
  }

  #hold(stream: ClientHttp2Stream, chunk: Uint8Array): boolean {
    if (this.#heldCount + chunk.length > heldSize) this.#release(stream);
    const held = (this.#held ??= Buffer.allocUnsafeSlow(heldSize));
    held.set(chunk, this.#heldCount);
    this.#heldCount += chunk.length;
    return !stream.writableNeedDrain && stream.writableLength + this.#heldCount < stream.writableHighWaterMark;
  }

  /** What is held goes to the stream. */
  #release(stream: ClientHttp2Stream): void {
    const held = this.#held;
    if (held === undefined) return;
    const bytes = held.subarray(0, this.#heldCount);
    this.#held = undefined;
    this.#heldCount = 0;
    this.#writing++;
    stream.write(bytes, this.#written);
  }

  /** The stream has taken a write, or is gone. */
  readonly #written = (): void => {
    const stream = this.#stream as ClientHttp2Stream;
    if (--this.#writing > 0 || stream.destroyed || stream.writableEnded) return;
    this.#release(stream);
    // What was held counted, too: Node tells only of what it was given.
    if (this.#paused && !stream.writableNeedDrain) this.#call.drained();
  };

  #fail(fault: string, source: "client" | "gateway", cause: unknown): void {
    this.#held = undefined;
    this.#over = true;
    // After the response nobody is left to tell: the stream is reset so that the destination does not take it for whole.
    if (this.#call.done) this.#call.reset();
    else this.#call.stop(fault, { step: "request-body", source, ...(cause === undefined ? {} : { cause: asError(cause) }) });
    try {
      this.#source.cancel();
    } catch {
      // As in `drop`.
    }
  }
}
