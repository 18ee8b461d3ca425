import { ExchangeStateError } from "../../errors.ts";
import type { ResponseHead, ResponseSink } from "../../exchange.ts";
import type { HeaderList } from "../../header-list.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { resetCode } from "./reset-code.ts";
import { OutgoingFields } from "./response-head.ts";
import type { Http2Stream } from "./stream.ts";

/** What a response tells its exchange. */
export interface Http2ResponseOwner {
  responseAborted(cause: Error): void;
}

const notStarted = 0;
const streaming = 1;
const over = 2;

const fields = new OutgoingFields();
const noFields = new OutgoingFields();

/** The response of one exchange, on its stream. */
export class Http2Response implements ResponseSink {
  status: number | undefined = undefined;
  readonly #stream: Http2Stream;
  readonly #writer: FrameWriter;
  readonly #owner: Http2ResponseOwner;
  readonly #head: boolean;
  #state = notStarted;
  #bodiless = false;
  /** Bytes of the body that are still to come by the Content-Length, or -1. */
  #remaining = -1;
  /** Nothing that is called from now on has an effect. */
  #closed = false;
  #continued = false;
  #drain: (() => void) | undefined = undefined;

  constructor(stream: Http2Stream, writer: FrameWriter, owner: Http2ResponseOwner, head: boolean) {
    this.#stream = stream;
    this.#writer = writer;
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
    return this.#stream.queued;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#closed) return;
    if (this.#state !== notStarted) throw new ExchangeStateError("an interim response after the final head");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is no interim status`);
    fields.head(headers, false);
    if (status === 100) this.#continued = true;
    this.#writer.head(this.#stream.id, status, fields, -1, false);
  }

  /** 100, unless it was sent or comes too late. */
  sendContinue(): void {
    if (this.#state !== notStarted || this.#continued || this.#closed) return;
    this.#continued = true;
    this.#writer.head(this.#stream.id, 100, noFields, -1, false);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    this.#sendWhole(head, typeof body === "string" ? Buffer.from(body, "utf8") : body);
  }

  sendLatin1(head: ResponseHead, body: string): void {
    this.#sendWhole(head, body);
  }

  /** A string is latin1. */
  #sendWhole(head: ResponseHead, body: Uint8Array | string | undefined): void {
    if (this.#closed) return;
    const { status } = head;
    this.#checkStart(status);
    const length = body === undefined ? 0 : body.length;
    const without = hasNoBody(status);
    const bodiless = without || this.#head;
    fields.head(head.headers, status !== 204 && status !== 205);
    const announced = fields.contentLength;
    if (!bodiless && announced >= 0 && announced !== length) {
      throw new ExchangeStateError(`the response has ${length} bytes and announces ${announced}`);
    }
    const added = announced >= 0 || without || (this.#head && body === undefined) ? -1 : length;
    this.status = status;
    this.#state = over;
    this.#bodiless = bodiless;
    const stream = this.#stream;
    const whole = bodiless || length === 0;
    this.#writer.head(stream.id, status, fields, added, whole);
    if (whole) stream.closeLocal();
    else if (typeof body === "string") stream.endWithText(body);
    else {
      stream.write(body as Uint8Array);
      stream.end(undefined);
    }
  }

  start(head: ResponseHead): void {
    if (this.#closed) return;
    const { status } = head;
    this.#checkStart(status);
    fields.head(head.headers, status !== 204 && status !== 205);
    this.status = status;
    this.#state = streaming;
    this.#bodiless = this.#head || hasNoBody(status);
    if (!this.#bodiless) this.#remaining = fields.contentLength;
    // The end of the stream is put on this frame when nothing follows it in this turn: what gRPC calls trailers-only.
    this.#writer.head(this.#stream.id, status, fields, -1, false);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== streaming) {
      if (this.#closed) return true;
      throw new ExchangeStateError(this.#state === notStarted ? "a body before the head" : "a body after the end");
    }
    const { length } = chunk;
    if (length === 0 || this.#bodiless) return true;
    if (this.#remaining >= 0) {
      if (length > this.#remaining) {
        this.abort(new ExchangeStateError("the response is longer than its Content-Length"));
        return true;
      }
      this.#remaining -= length;
    }
    return this.#stream.write(chunk);
  }

  /** All leaves at the end of the turn of the event loop. */
  flush(): void {}

  end(trailers?: HeaderList): void {
    if (this.#state !== streaming) {
      if (this.#closed) return;
      throw new ExchangeStateError(this.#state === notStarted ? "an end before the head" : "a second end");
    }
    if (this.#remaining > 0) {
      this.abort(new ExchangeStateError("the response is shorter than its Content-Length"));
      return;
    }
    if (trailers === undefined || trailers.size === 0 || this.#bodiless) {
      this.#state = over;
      this.#stream.end(undefined);
      return;
    }
    fields.trailers(trailers);
    this.#state = over;
    this.#stream.end(fields.lines.slice());
  }

  abort(cause: Error): void {
    if (this.#closed) return;
    this.close();
    this.#stream.reset(resetCode(cause));
    this.#owner.responseAborted(cause);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  drained(): void {
    this.#drain?.();
  }

  /** The stream is lost or given up, or the exchange is over: calls do nothing from now on. */
  close(): void {
    this.#closed = true;
    this.#state = over;
    this.#drain = undefined;
  }

  /** The response gives way to a tunnel: its head is written, and not its end. */
  give(head: ResponseHead): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("an upgrade after the final head");
    fields.head(head.headers, false);
    const lost = this.#closed;
    this.status = head.status;
    this.close();
    if (lost) return;
    this.#writer.head(this.#stream.id, head.status, fields, -1, false);
    this.#writer.settle();
  }

  #checkStart(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("a second final head");
    if (status < 200 || status > 599) throw new ExchangeStateError(`${status} is no final status`);
  }
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
