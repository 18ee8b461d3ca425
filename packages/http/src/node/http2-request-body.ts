import type { ServerHttp2Stream } from "node:http2";
import { BadRequestError } from "../errors.ts";
import type { BodyRateFeature } from "../exchange.ts";
import { isHeaderName, isHeaderValue } from "../field-grammar.ts";
import { HeaderList } from "../header-list.ts";
import { StreamBody, type StreamBodyOptions, type StreamEnd } from "./stream-body.ts";

export interface Http2RequestBodyOptions extends StreamBodyOptions {
  readonly onBytes: (count: number) => void;
}

/**
 * The body of an HTTP/2 request. Held back by flow control: what the reader does not take stays with the client beyond one
 * window. nghttp2 holds the data to the Content-Length (RFC 9113, 8.1.1).
 */
export class Http2RequestBody extends StreamBody<ServerHttp2Stream> implements BodyRateFeature {
  lifted = false;
  readonly #onBytes: (count: number) => void;
  #complete = false;
  #trailers: HeaderList | undefined;

  constructor(stream: ServerHttp2Stream, options: Http2RequestBodyOptions) {
    super(stream, options);
    this.#onBytes = options.onBytes;
    stream.on("trailers", (_headers, _flags, raw?: readonly string[]) => this.#takeTrailers(raw ?? []));
  }

  /** All of it came and was read. */
  get complete(): boolean {
    return this.#complete;
  }

  lift(): void {
    this.lifted = true;
  }

  protected override count(bytes: number): void {
    this.#onBytes(bytes);
  }

  protected judgeEnd(): StreamEnd {
    // Node ends the stream of a request that was reset as well: then its close tells.
    if (this.stream.aborted || this.stream.rstCode !== 0) return "untold";
    this.#complete = true;
    return this.#trailers;
  }

  /** The rest stays with the client, held back by flow control, until the stream is over. */
  protected release(): void {
    if (!this.#complete) this.stream.pause();
  }

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
}
