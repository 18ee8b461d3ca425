import type { BodySink, BodySource } from "../../body.ts";
import { BadRequestError, ExchangeStateError } from "../../errors.ts";
import type { BodyLimitFeature, BodyRateFeature } from "../../exchange.ts";
import type { HeaderList } from "../../header-list.ts";
import { IncomingBytes } from "./incoming-bytes.ts";

export interface Http2RequestBodyOptions {
  /** Content-Length, or undefined. */
  readonly length: number | undefined;
  /** Most bytes. */
  readonly maximum: number | undefined;
  /** Bytes were given to the reader: the client may send as many more. */
  readonly onUsed: (count: number) => void;
  /** Bytes came that nobody will read. */
  readonly onDropped: (count: number) => void;
  /** It failed, or its reader gave it up, before its end was told. */
  readonly onGivenUp: () => void;
  /** Called when somebody begins to read: the moment for 100 (Continue). */
  readonly onFirstRead: () => void;
}

/** The body of a request. What its reader does not take stays with the client beyond one window, also when nobody wants it any more. */
export class Http2RequestBody implements BodySource, BodyLimitFeature, BodyRateFeature {
  readonly length: number | undefined;
  lifted = false;
  /** Milliseconds that the client was waited for, kept by whoever watches the rate. */
  waited = 0;
  readonly #options: Http2RequestBodyOptions;
  readonly #bytes: IncomingBytes;
  #maximum: number | undefined;
  #chosen = false;
  #started = false;
  #delivered = 0;
  #complete = false;
  #failure: Error | undefined = undefined;

  constructor(options: Http2RequestBodyOptions) {
    this.#options = options;
    this.length = options.length;
    this.#maximum = options.maximum;
    this.#bytes = new IncomingBytes((count) => this.#use(count), options.onDropped);
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

  /** Somebody reads it. */
  get wanted(): boolean {
    return this.#bytes.wanted;
  }

  get awaitsClient(): boolean {
    return this.#bytes.awaitsClient;
  }

  /** Bytes that came. */
  get received(): number {
    return this.#bytes.received;
  }

  /** All of it came and was read. */
  get complete(): boolean {
    return this.#complete;
  }

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit can no longer change");
    this.#maximum = maximum;
    this.#chosen = true;
  }

  lift(): void {
    this.lifted = true;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("a body is read once");
    this.#started = true;
    if (this.#failure !== undefined) {
      sink.onError(this.#failure);
      return;
    }
    if (this.#maximum !== undefined && this.length !== undefined && this.length > this.#maximum) {
      this.fail(tooLarge());
      sink.onError(this.#failure as unknown as Error);
      return;
    }
    this.#options.onFirstRead();
    this.#bytes.read({
      onData: (chunk) => sink.onData(chunk),
      onEnd: (trailers) => {
        this.#complete = true;
        sink.onEnd(trailers);
      },
      onError: (error) => sink.onError(error),
    });
  }

  pause(): void {
    this.#bytes.pause();
  }

  resume(): void {
    this.#bytes.resume();
  }

  cancel(): void {
    this.#started = true;
    if (this.#bytes.over) return;
    this.#bytes.drop();
    this.#options.onGivenUp();
  }

  /** Bytes of it came. False: it is longer than announced, and nobody is given what came now (RFC 9113, 8.1.1). */
  take(bytes: Buffer, from: number, to: number, lasting: boolean): boolean {
    if (this.length !== undefined && this.#bytes.received + to - from > this.length) {
      this.#options.onDropped(to - from);
      return false;
    }
    this.#bytes.take(bytes, from, to, lasting);
    return true;
  }

  /** Its end came. False: it is not as long as was announced (RFC 9113, 8.1.1). */
  finish(trailers: HeaderList | undefined): boolean {
    if (this.length !== undefined && this.#bytes.received !== this.length) return false;
    this.#bytes.finish(trailers);
    return true;
  }

  /** Ends it with an error, told to the reader of now or of later. */
  fail(error: Error): void {
    if (this.#bytes.over) return;
    this.#failure = error;
    this.#bytes.fail(error);
    this.#options.onGivenUp();
  }

  #use(count: number): void {
    this.#delivered += count;
    if (this.#maximum !== undefined && this.#delivered > this.#maximum) {
      this.#options.onDropped(count);
      this.fail(tooLarge());
    } else {
      this.#options.onUsed(count);
    }
  }
}

function tooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}
