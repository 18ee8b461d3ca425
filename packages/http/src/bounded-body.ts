import type { BodySink, BodySource } from "./body.ts";
import { BadRequestError, ExchangeStateError } from "./errors.ts";
import type { BodyLimitFeature } from "./exchange.ts";
import type { HeaderList } from "./header-list.ts";

/**
 * The body of a request, as every front server has to present it: read once, bounded in size, held back by its reader, and over
 * exactly once. Where the bytes come from is the server's, which extends this; it says `begin`, `hold`, `go` and `release` what to do.
 */
export abstract class BoundedBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  #maximum: number | undefined;
  #chosen = false;
  #started = false;
  #paused = false;
  #over = false;
  #sink: BodySink | undefined = undefined;
  #failure: Error | undefined = undefined;
  #delivered = 0;

  /** `length`: Content-Length, or undefined. `maximum`: most bytes, unless the handler chooses another limit; undefined: no limit. */
  constructor(length: number | undefined, maximum: number | undefined) {
    this.length = length;
    this.#maximum = maximum;
  }

  get started(): boolean {
    return this.#started;
  }

  get maximum(): number | undefined {
    return this.#maximum;
  }

  get chosen(): boolean {
    return this.#chosen;
  }

  get readOnly(): boolean {
    return this.#started;
  }

  /** Somebody reads it, and has not been told its end. */
  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  /** Its reader, or who will be, holds it back. */
  get paused(): boolean {
    return this.#paused;
  }

  /** It broke off, or was refused, before its end was told and before its reader gave it up. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit can no longer change");
    this.#maximum = maximum;
    this.#chosen = true;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("a body is read once, and not after it was cancelled");
    this.#started = true;
    if (this.#failure !== undefined) {
      sink.onError(this.#failure);
      return;
    }
    this.#sink = sink;
    if (this.#maximum !== undefined && this.length !== undefined && this.length > this.#maximum) this.fail(bodyTooLarge());
    else this.begin();
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    this.hold();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    this.go();
  }

  cancel(): void {
    this.#started = true;
    if (this.#over) return;
    this.#finish();
    this.release();
  }

  /** Ends it with an error, told to the reader of now or of later. Does nothing when it is over. */
  fail(error: Error): void {
    if (this.#over) return;
    const sink = this.#sink;
    this.#failure = error;
    this.#finish();
    this.release();
    sink?.onError(error);
  }

  /** Tells the reader the end. Does nothing when it is over. */
  protected end(trailers: HeaderList | undefined): void {
    const sink = this.#sink;
    if (this.#over || sink === undefined) return;
    this.#finish();
    this.release();
    sink.onEnd(trailers);
  }

  /** Whom the bytes are for; undefined: nobody yet, or nobody any more. */
  protected get sink(): BodySink | undefined {
    return this.#sink;
  }

  /** The bytes that `exceeds` has counted. */
  protected get delivered(): number {
    return this.#delivered;
  }

  /** Counts bytes on their way to the reader. True: they are too many, and the body is to fail with `bodyTooLarge`. */
  protected exceeds(count: number): boolean {
    this.#delivered += count;
    return this.#maximum !== undefined && this.#delivered > this.#maximum;
  }

  /** There is a reader: bytes may come, unless it is paused. */
  protected abstract begin(): void;

  /** No bytes for now. There may be no reader yet. */
  protected abstract hold(): void;

  /** Bytes may come again. There may be no reader yet. */
  protected abstract go(): void;

  /** Nobody is told anything from now on: the end or an error is about to be told, or the reader gave it up. Called once. */
  protected abstract release(): void;

  #finish(): void {
    this.#over = true;
    this.#paused = false;
    this.#sink = undefined;
  }
}

/** The refusal of a body beyond its limit. */
export function bodyTooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}

/** The refusal of a body below the minimum rate. */
export function bodyTooSlow(): BadRequestError {
  return new BadRequestError(408, "BODY_TOO_SLOW", "the body of the request comes too slowly");
}
