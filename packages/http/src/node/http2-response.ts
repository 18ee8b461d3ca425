import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { ClientGoneError, ExchangeStateError } from "../errors.ts";
import type { ResponseHead, ResponseSink } from "../exchange.ts";
import type { HeaderList } from "../header-list.ts";
import { resetStream } from "./reset-stream.ts";
import { fieldObject, responseFields } from "./http2-response-fields.ts";

/** What a response tells its exchange. */
export interface Http2ResponseOwner {
  /** All of it was given to the session, which sends it as flow control allows. */
  responseEnded(): void;
  responseAborted(cause: Error): void;
}

const notStarted = 0;
const streaming = 1;
const over = 2;

/** The sink over one HTTP/2 stream. */
export class Http2Response implements ResponseSink {
  status: number | undefined = undefined;
  /** Bytes of body that were written. */
  written = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #owner: Http2ResponseOwner;
  readonly #head: boolean;
  #state = notStarted;
  #bodiless = false;
  #declared = -1;
  #closed = false;
  #continued = false;
  #trailers: HeaderList | undefined;
  /** The head of a streamed response, until it is known whether anything follows it. */
  #held: OutgoingHttpHeaders | undefined;
  #drain: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, owner: Http2ResponseOwner, head: boolean) {
    this.#stream = stream;
    this.#owner = owner;
    this.#head = head;
  }

  get started(): boolean {
    return this.status !== undefined;
  }

  get ended(): boolean {
    return this.#state === over;
  }

  get trailersSupported(): boolean {
    return !this.#head && !this.#bodiless;
  }

  get pending(): number {
    return this.#stream.destroyed ? 0 : this.#stream.writableLength;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#lost()) return;
    if (this.#state !== notStarted) throw new ExchangeStateError("an interim response after the final head");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is no interim status`);
    const fields: OutgoingHttpHeaders = fieldObject(headers, false);
    if (status === 100) this.#continued = true;
    this.#stream.additionalHeaders({ ...fields, ":status": status });
  }

  /** 100, unless it was sent or comes too late. */
  sendContinue(): void {
    if (this.#state !== notStarted || this.#continued || this.#lost()) return;
    this.#continued = true;
    this.#stream.additionalHeaders({ ":status": 100 });
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    this.#sendWhole(head, typeof body === "string" ? Buffer.from(body, "utf8") : body);
  }

  sendLatin1(head: ResponseHead, body: string): void {
    this.#sendWhole(head, Buffer.from(body, "latin1"));
  }

  #sendWhole(head: ResponseHead, bytes: Uint8Array | undefined): void {
    if (this.#lost()) return;
    this.#checkStart(head.status);
    const length = bytes?.length ?? 0;
    const bodiless = this.#head || hasNoBody(head.status);
    const added = hasNoBody(head.status) || (this.#head && bytes === undefined) ? undefined : length;
    const { lines, contentLength } = responseFields(head, head.status !== 204, added);
    if (!bodiless && contentLength >= 0 && contentLength !== length) {
      throw new ExchangeStateError(`the response has ${length} bytes and announces ${contentLength}`);
    }
    this.status = head.status;
    this.#state = over;
    this.#bodiless = bodiless;
    const stream = this.#stream;
    if (bodiless || bytes === undefined || length === 0) {
      stream.respond(lines as unknown as OutgoingHttpHeaders, { endStream: true });
    } else {
      stream.respond(lines as unknown as OutgoingHttpHeaders);
      this.written = length;
      stream.end(bytes);
    }
    this.#whenFinished();
  }

  start(head: ResponseHead): void {
    if (this.#lost()) return;
    this.#checkStart(head.status);
    const bodiless = this.#head || hasNoBody(head.status);
    const { lines, contentLength } = responseFields(head, head.status !== 204, undefined);
    this.status = head.status;
    this.#state = streaming;
    this.#bodiless = bodiless;
    const stream = this.#stream;
    if (bodiless) {
      stream.respond(lines as unknown as OutgoingHttpHeaders, { endStream: true });
      return;
    }
    this.#declared = contentLength;
    this.#held = lines as unknown as OutgoingHttpHeaders;
    setImmediate(this.#sendHead);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== streaming) {
      if (this.#closed) return true;
      throw new ExchangeStateError(this.#state === notStarted ? "a body before the head" : "a body after the end");
    }
    if (chunk.length === 0 || this.#bodiless || this.#lost()) return true;
    this.written += chunk.length;
    if (this.#declared >= 0 && this.written > this.#declared) {
      this.abort(new ExchangeStateError("the response is longer than its Content-Length"));
      return true;
    }
    if (this.#held !== undefined) this.#sendHead();
    return this.#stream.write(chunk);
  }

  /** Node sends what it has at the end of each turn of the event loop. */
  flush(): void {
    this.#sendHead();
  }

  end(trailers?: HeaderList): void {
    if (this.#state !== streaming) {
      if (this.#closed) return;
      throw new ExchangeStateError(this.#state === notStarted ? "an end before the head" : "a second end");
    }
    if (this.#declared >= 0 && this.written < this.#declared && !this.#bodiless) {
      this.abort(new ExchangeStateError("the response is shorter than its Content-Length"));
      return;
    }
    this.#state = over;
    if (this.#lost()) return;
    const held = this.#held;
    if (held !== undefined && trailers === undefined) {
      // A head that is all there is ends the stream itself: what gRPC calls trailers-only.
      this.#held = undefined;
      this.#stream.respond(held, { endStream: true });
    } else {
      this.#trailers = trailers;
      this.#sendHead();
      if (!this.#bodiless) this.#stream.end();
    }
    this.#whenFinished();
  }

  abort(cause: Error): void {
    if (this.#closed) return;
    this.close();
    resetStream(this.#stream, resetCode(cause));
    this.#owner.responseAborted(cause);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** The stream is lost or given up, or the exchange is over: calls do nothing from now on. */
  close(): void {
    this.#closed = true;
    this.#state = over;
    this.#held = undefined;
    this.#drain = undefined;
  }

  /** The response gave way to a tunnel that was opened with `status`. */
  give(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("an upgrade after the final head");
    this.status = status;
    this.close();
  }

  readonly #sendHead = (): void => {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#lost()) return;
    const stream = this.#stream;
    stream.respond(held, { waitForTrailers: true });
    stream.once("wantTrailers", this.#onWantTrailers);
    stream.on("drain", this.#onDrained);
  };

  /** The client has reset the stream, whether it was told already or not. */
  #lost(): boolean {
    return this.#closed || this.#stream.destroyed || this.#stream.closed;
  }

  #checkStart(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("a second final head");
    if (status < 200 || status > 599) throw new ExchangeStateError(`${status} is no final status`);
  }

  #whenFinished(): void {
    const stream = this.#stream;
    if (stream.writableFinished) this.#onFinished();
    else stream.once("finish", this.#onFinished);
  }

  readonly #onFinished = (): void => {
    if (!this.#closed) this.#owner.responseEnded();
  };

  readonly #onDrained = (): void => this.#drain?.();

  /** An empty section becomes the end of the stream. */
  readonly #onWantTrailers = (): void => {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    try {
      stream.sendTrailers(this.#trailers === undefined ? {} : fieldObject(this.#trailers, true));
    } catch (error) {
      this.abort(error as Error);
    }
  };
}

/** RFC 9113, 7: CANCEL when nobody wants the stream any more, INTERNAL_ERROR when what it needs has failed. */
export function resetCode(cause: Error): number {
  const { code } = cause as NodeJS.ErrnoException;
  const cancelled = cause instanceof ClientGoneError || (typeof code === "string" && code.endsWith("Canceled"));
  return cancelled ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_INTERNAL_ERROR;
}

/** Node ends the stream after the head of these. */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
