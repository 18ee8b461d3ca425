import { BoundedBody, bodyTooLarge } from "../../bounded-body.ts";
import type { BodyRateFeature } from "../../exchange.ts";
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
export class Http2RequestBody extends BoundedBody implements BodyRateFeature {
  lifted = false;
  /** Milliseconds that the client was waited for, kept by whoever watches the rate. */
  waited = 0;
  readonly #options: Http2RequestBodyOptions;
  readonly #bytes: IncomingBytes;

  constructor(options: Http2RequestBodyOptions) {
    super(options.length, options.maximum);
    this.#options = options;
    this.#bytes = new IncomingBytes((count) => this.#use(count), options.onDropped);
  }

  get awaitsClient(): boolean {
    return this.#bytes.awaitsClient;
  }

  /** Bytes that came. */
  get received(): number {
    return this.#bytes.received;
  }

  lift(): void {
    this.lifted = true;
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

  protected override begin(): void {
    this.#options.onFirstRead();
    this.#bytes.read({
      onData: (chunk) => this.sink?.onData(chunk),
      onEnd: (trailers) => this.end(trailers),
      onError: (error) => this.fail(error),
    });
  }

  protected override hold(): void {
    this.#bytes.pause();
  }

  protected override go(): void {
    this.#bytes.resume();
  }

  protected override release(): void {
    if (this.#bytes.over) return;
    this.#bytes.drop();
    this.#options.onGivenUp();
  }

  #use(count: number): void {
    if (this.exceeds(count)) {
      this.#options.onDropped(count);
      this.fail(bodyTooLarge());
    } else {
      this.#options.onUsed(count);
    }
  }
}
