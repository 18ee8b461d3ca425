import type { ServerHttp2Stream } from "node:http2";
import type { BodySink, BodySource } from "../body.ts";
import { BadRequestError, ExchangeStateError } from "../errors.ts";
import type { BodyLimitFeature } from "../exchange.ts";
import { isHeaderName, isHeaderValue } from "../field-grammar.ts";
import { HeaderList } from "../header-list.ts";

/**
 * The body of an HTTP/2 request: pushed from its stream, bounded in size. Held back by flow control: what the reader does
 * not take stays with the client beyond one window. nghttp2 holds the data to the Content-Length (RFC 9113, 8.1.1).
 */
export class Http2RequestBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  /** Bytes that came while it was read. */
  received = 0;
  /** Milliseconds that the client was waited for, kept by the watch. */
  waited = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #onFirstRead: () => void;
  readonly #onBytes: (count: number) => void;
  #maximum: number | undefined;
  #sink: BodySink | undefined;
  #started = false;
  #paused = false;
  #over = false;
  #complete = false;
  #error: Error | undefined;
  #trailers: HeaderList | undefined;

  constructor(
    stream: ServerHttp2Stream,
    options: {
      readonly length: number | undefined;
      readonly maximum: number | undefined;
      /** Called when somebody begins to read it: the moment for 100 (Continue). */
      readonly onFirstRead: () => void;
      readonly onBytes: (count: number) => void;
    },
  ) {
    this.#stream = stream;
    this.length = options.length;
    this.#maximum = options.maximum;
    this.#onFirstRead = options.onFirstRead;
    this.#onBytes = options.onBytes;
    stream.on("trailers", (_headers, _flags, raw?: readonly string[]) => this.#takeTrailers(raw ?? []));
  }

  get started(): boolean {
    return this.#started;
  }

  /** All of it came and was read. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Somebody reads it. */
  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  /** The client is the one to wait for. */
  get awaitsClient(): boolean {
    return this.#sink !== undefined && !this.#paused;
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
      this.fail(tooLarge());
      return;
    }
    this.#onFirstRead();
    const stream = this.#stream;
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
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

  /** The rest stays with the client, held back by flow control, until the stream is over. */
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

  readonly #onData = (chunk: Buffer): void => {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.received += chunk.length;
    this.#onBytes(chunk.length);
    if (this.#maximum !== undefined && this.received > this.#maximum) this.fail(tooLarge());
    else sink.onData(chunk);
  };

  readonly #onEnd = (): void => {
    const sink = this.#sink;
    // Node ends the stream of a request that was reset as well: then its close tells.
    if (sink === undefined || this.#stream.aborted || this.#stream.rstCode !== 0) return;
    this.#complete = true;
    this.#stop();
    sink.onEnd(this.#trailers);
  };

  #takeTrailers(raw: readonly string[]): void {
    const trailers = new HeaderList();
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] as string;
      const value = raw[i + 1] as string;
      if (!isHeaderName(name) || !isHeaderValue(value)) {
        this.fail(new BadRequestError(400, "INVALID_TRAILER", "a trailer holds an illegal character"));
        return;
      }
      trailers.append(name, value);
    }
    if (trailers.size > 0) this.#trailers = trailers;
  }

  #stop(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#stream.off("data", this.#onData);
    this.#stream.off("end", this.#onEnd);
    if (!this.#complete) this.#stream.pause();
  }
}

function tooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}
