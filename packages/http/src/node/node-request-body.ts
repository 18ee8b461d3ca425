import type { IncomingMessage } from "node:http";
import type { BodySink, BodySource } from "../body.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../errors.ts";
import type { BodyLimitFeature } from "../exchange.ts";
import { HeaderList } from "../header-list.ts";

/** The body of an `IncomingMessage`, pushed to one sink, bounded in size, with counters for the minimum data rate. */
export class NodeRequestBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  /** Bytes that came while it was read. */
  received = 0;
  /** True from the first read to the last byte, and not held back by the reader: the client is the one to wait for. */
  get awaitsClient(): boolean {
    return this.#sink !== undefined && !this.#paused && !this.#over;
  }
  /** True after it broke off or went beyond a limit: the connection cannot be used again. */
  get failed(): boolean {
    return this.#error !== undefined;
  }
  /** True when all of it came, read or not. */
  get complete(): boolean {
    return this.#req.complete;
  }
  readonly #req: IncomingMessage;
  readonly #onFirstRead: () => void;
  #maximum: number | undefined;
  #sink: BodySink | undefined;
  #started = false;
  #paused = false;
  #over = false;
  #error: Error | undefined;

  /** `onFirstRead` is called when somebody begins to read it: the moment for 100 (Continue). */
  constructor(req: IncomingMessage, length: number | undefined, maximum: number | undefined, onFirstRead: () => void) {
    this.#req = req;
    this.length = length;
    this.#maximum = maximum;
    this.#onFirstRead = onFirstRead;
  }

  get started(): boolean {
    return this.#started;
  }

  get maximum(): number | undefined {
    return this.#maximum;
  }

  get readOnly(): boolean {
    return this.#started;
  }

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit can no longer change");
    this.#maximum = maximum;
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
      this.fail(tooLarge(this.#maximum));
      return;
    }
    const req = this.#req;
    if (req.readableDidRead) {
      this.fail(new ExchangeStateError("the request body was read, at least in part, by somebody else before"));
      return;
    }
    this.#onFirstRead();
    req.on("data", this.#onData);
    if (req.readableEnded) this.#onEnd();
    else req.on("end", this.#onEnd);
    if (!this.#paused) req.resume();
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    if (this.#sink !== undefined) this.#req.pause();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    if (this.#sink !== undefined) this.#req.resume();
  }

  cancel(): void {
    this.#started = true;
    if (this.#over) return;
    this.#stop();
  }

  /** Ends it with an error, told to the reader of now or of later. */
  fail(error: Error): void {
    if (this.#over) return;
    const sink = this.#sink;
    this.#error ??= error;
    this.#stop();
    if (sink !== undefined) sink.onError(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.received += chunk.length;
    if (this.#maximum !== undefined && this.received > this.#maximum) {
      this.fail(tooLarge(this.#maximum));
      return;
    }
    sink.onData(chunk);
  };

  readonly #onEnd = (): void => {
    const sink = this.#sink;
    if (sink === undefined) return;
    const raw = this.#req.rawTrailers;
    this.#stop();
    // Node ends the stream of a message that broke off as well.
    if (!this.#req.complete) sink.onError(new ClientGoneError("the client left before the end of the request body"));
    else sink.onEnd(raw.length > 0 ? HeaderList.fromRaw(raw) : undefined);
  };

  #stop(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#req.off("data", this.#onData);
    this.#req.off("end", this.#onEnd);
    // What still comes is dropped, so that the connection can go on or close in order.
    this.#req.resume();
  }
}

function tooLarge(maximum: number): BadRequestError {
  return new BadRequestError(413, "REQUEST_BODY_TOO_LARGE", `request body larger than ${maximum} bytes`);
}
