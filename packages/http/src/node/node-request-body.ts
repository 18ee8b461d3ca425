import type { IncomingMessage } from "node:http";
import { BoundedBody, bodyTooLarge } from "../bounded-body.ts";
import { ClientGoneError, ExchangeStateError } from "../errors.ts";
import { HeaderList } from "../header-list.ts";

export interface NodeRequestBodyOptions {
  readonly length: number | undefined;
  readonly maximum: number | undefined;
  /** Called when somebody begins to read it: the moment for 100 (Continue). */
  readonly onFirstRead: () => void;
}

/**
 * The body of an `IncomingMessage`, with counters for the minimum data rate. What nobody reads is dropped, so that the
 * connection can go on or close in order.
 */
export class NodeRequestBody extends BoundedBody {
  /** Milliseconds that the client was waited for, kept by whoever watches the rate. */
  waited = 0;
  readonly #stream: IncomingMessage;
  readonly #onFirstRead: () => void;

  constructor(stream: IncomingMessage, { length, maximum, onFirstRead }: NodeRequestBodyOptions) {
    super(length, maximum);
    this.#stream = stream;
    this.#onFirstRead = onFirstRead;
  }

  /** Read, and not held back by the reader: the client is the one to wait for. */
  get awaitsClient(): boolean {
    return this.wanted && !this.paused;
  }

  /** Bytes that came while it was read. */
  get received(): number {
    return this.delivered;
  }

  /** True when all of it came, read or not. */
  get complete(): boolean {
    return this.#stream.complete;
  }

  protected override begin(): void {
    const stream = this.#stream;
    if (stream.readableDidRead) {
      const remedy = "put the proxy before body parsers, or give the body again (bytesBody)";
      this.fail(new ExchangeStateError(`the request body was read, at least in part, by somebody else before: ${remedy}`));
      return;
    }
    this.#onFirstRead();
    stream.on("data", this.#onData);
    if (stream.readableEnded) this.#onEnd();
    else stream.on("end", this.#onEnd);
    if (this.paused) stream.pause();
    else stream.resume();
  }

  protected override hold(): void {
    if (this.wanted) this.#stream.pause();
  }

  protected override go(): void {
    if (this.wanted) this.#stream.resume();
  }

  protected override release(): void {
    this.#stream.off("data", this.#onData);
    this.#stream.off("end", this.#onEnd);
    this.#stream.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.exceeds(chunk.length)) this.fail(bodyTooLarge());
    else this.sink?.onData(chunk);
  };

  readonly #onEnd = (): void => {
    const { complete, rawTrailers } = this.#stream;
    // Node ends the stream of a message that broke off as well.
    if (!complete) this.fail(new ClientGoneError("the client left before the end of the request body"));
    else this.end(rawTrailers.length > 0 ? HeaderList.fromRaw(rawTrailers) : undefined);
  };
}
