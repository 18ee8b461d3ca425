import type { BodySink, BodySource } from "../../../body.ts";
import type { HeaderLine, HeaderList } from "../../../header-list.ts";
import { asError } from "../../client/engine-call.ts";
import type { Http2Stream } from "../stream.ts";
import type { Http2Call } from "./call.ts";
import { trailerLines } from "./request-fields.ts";

/**
 * Carries a request body from its source to its stream: the declared length enforced, and the source held back while the
 * destination's windows are closed.
 */
export class Http2Upload implements BodySink {
  /** Content-Length, or undefined when only the end tells. */
  readonly size: number | undefined;
  /** The source was asked for the body, or told that nobody will. */
  started = false;
  /** All of it was given to the stream. */
  complete = false;
  readonly #call: Http2Call;
  readonly #source: BodySource;
  /** Its end is told apart from its last byte, since trailers may follow. */
  readonly #waitsForTrailers: boolean;
  #remaining: number;
  #stream: Http2Stream | undefined = undefined;
  #paused = false;
  #over = false;

  /** `announced`: the request has a Trailer field. */
  constructor(call: Http2Call, source: BodySource, announced: boolean) {
    this.#call = call;
    this.#source = source;
    this.size = source.length;
    this.#remaining = source.length ?? 0;
    this.#waitsForTrailers = source.length === undefined || (announced && source.length > 0);
  }

  /** It is on its way: begun, and neither whole nor given up. */
  get flowing(): boolean {
    return this.#stream !== undefined && !this.#over;
  }

  /** It was empty: the head of the request said all of it, and says it again. */
  get inHead(): boolean {
    return this.size === 0 && this.complete;
  }

  start(stream: Http2Stream): void {
    this.#stream = stream;
    if (this.inHead) return;
    this.started = true;
    try {
      this.#source.read(this);
    } catch (error) {
      this.#fail("the request body cannot be read", "gateway", error);
    }
  }

  /** The rest is not wanted. */
  drop(): void {
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
    const stream = this.#stream as Http2Stream;
    if (this.#over) return true;
    if (this.size !== undefined) {
      this.#remaining -= chunk.length;
      if (this.#remaining < 0) {
        this.#fail("the request body is longer than its declared length", "client", undefined);
        return true;
      }
    }
    const room = stream.write(chunk);
    // The last chunk takes the end along, and nobody is held back behind it.
    if (this.size !== undefined && this.#remaining === 0 && !this.#waitsForTrailers) stream.end(undefined);
    else if (!room && !this.#paused) {
      this.#paused = true;
      try {
        this.#source.pause();
      } catch (error) {
        this.#fail("the request body cannot be held back", "gateway", error);
        return true;
      }
    }
    this.#call.tellProgress();
    return stream.queued === 0;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#over) return;
    if (this.#remaining > 0) {
      this.#fail("the request body is shorter than its declared length", "client", undefined);
      return;
    }
    let lines: readonly HeaderLine[] | undefined;
    if (trailers !== undefined) {
      lines = trailerLines(trailers);
      if (lines === undefined) {
        this.#fail("a trailer holds an illegal character", "gateway", undefined);
        return;
      }
    }
    this.#over = true;
    this.complete = true;
    this.#stream?.end(lines);
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

  #fail(fault: string, source: "client" | "gateway", cause: unknown): void {
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
