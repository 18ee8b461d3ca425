import type { IncomingMessage } from "node:http";
import type { BodySink, BodySource } from "../body.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../errors.ts";
import type { BodyLimitFeature } from "../exchange.ts";
import { HeaderList } from "../header-list.ts";

export interface NodeRequestBodyOptions {
  readonly length: number | undefined;
  readonly maximum: number | undefined;
  /** Called when somebody begins to read it: the moment for 100 (Continue). */
  readonly onFirstRead: () => void;
}

/**
 * The body of an `IncomingMessage`: pushed to one sink, bounded in size, with counters for the minimum data rate. What nobody reads is
 * dropped, so that the connection can go on or close in order.
 */
export class NodeRequestBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  /** Bytes that came while it was read. */
  received = 0;
  /** Milliseconds that the client was waited for, kept by whoever watches the rate. */
  waited = 0;
  readonly #stream: IncomingMessage;
  readonly #onFirstRead: () => void;
  #maximum: number | undefined;
  #chosen = false;
  #sink: BodySink | undefined;
  #started = false;
  #paused = false;
  #over = false;
  #error: Error | undefined;

  constructor(stream: IncomingMessage, { length, maximum, onFirstRead }: NodeRequestBodyOptions) {
    this.#stream = stream;
    this.length = length;
    this.#maximum = maximum;
    this.#onFirstRead = onFirstRead;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Somebody reads it. */
  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  /** Read, and not held back by the reader: the client is the one to wait for. */
  get awaitsClient(): boolean {
    return this.#sink !== undefined && !this.#paused;
  }

  /** It broke off or went beyond a limit. */
  get failed(): boolean {
    return this.#error !== undefined;
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

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit can no longer change");
    this.#maximum = maximum;
    this.#chosen = true;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("a body is read once");
    this.#started = true;
    if (this.#error !== undefined) {
      sink.onError(this.#error);
      return;
    }
    this.#sink = sink;
    if (this.#maximum !== undefined && this.length !== undefined && this.length > this.#maximum) {
      this.fail(tooLarge());
      return;
    }
    const stream = this.#stream;
    if (stream.readableDidRead) {
      this.fail(new ExchangeStateError("the request body was read, at least in part, by somebody else before"));
      return;
    }
    this.#onFirstRead();
    stream.on("data", this.#onData);
    if (stream.readableEnded) this.#onEnd();
    else stream.on("end", this.#onEnd);
    if (this.#paused) stream.pause();
    else stream.resume();
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    if (this.#sink !== undefined) this.#stream.pause();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    if (this.#sink !== undefined) this.#stream.resume();
  }

  /** The rest is dropped. */
  cancel(): void {
    this.#started = true;
    if (!this.#over) this.#stop();
  }

  /** Ends it with an error, told to the reader of now or of later. */
  fail(error: Error): void {
    if (this.#over) return;
    const sink = this.#sink;
    this.#error ??= error;
    this.#stop();
    sink?.onError(error);
  }

  /** True when all of it came, read or not. */
  get complete(): boolean {
    return this.#stream.complete;
  }

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.received += chunk.length;
    if (this.#maximum !== undefined && this.received > this.#maximum) this.fail(tooLarge());
    else sink.onData(chunk);
  };

  readonly #onEnd = (): void => {
    const sink = this.#sink;
    if (sink === undefined) return;
    const { complete, rawTrailers } = this.#stream;
    this.#stop();
    // Node ends the stream of a message that broke off as well.
    if (!complete) sink.onError(new ClientGoneError("the client left before the end of the request body"));
    else sink.onEnd(rawTrailers.length > 0 ? HeaderList.fromRaw(rawTrailers) : undefined);
  };

  #stop(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#stream.off("data", this.#onData);
    this.#stream.off("end", this.#onEnd);
    this.#stream.resume();
  }
}

function tooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}
