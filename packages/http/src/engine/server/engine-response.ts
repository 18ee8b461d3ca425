import { ExchangeStateError } from "../../errors.ts";
import type { ResponseHead, ResponseSink } from "../../exchange.ts";
import { HeaderList } from "../../header-list.ts";
import { dateLine } from "./date-line.ts";
import { ResponseFieldWriter, trailerFields } from "./response-fields.ts";
import { statusLine } from "./status-line.ts";

/** What a response asks of the connection that it goes to. */
export interface ResponseOwner {
  /** Bytes handed to the socket that the system has not taken. */
  readonly unsent: number;
  /** Sends latin1 text; false when the socket's buffer is full. */
  writeText(text: string): boolean;
  writeBytes(bytes: Uint8Array): boolean;
  /** What is written in between leaves as one. */
  cork(): void;
  /** Ends `cork`; false when the socket's buffer is full. */
  uncork(): boolean;
  /**
   * The final head is about to be written, `whole` with all of the response: whether the connection stays open
   * afterwards. Not `possible`: the end of the connection is the end of the response.
   */
  decidePersistence(whole: boolean, possible: boolean): boolean;
  /** An interim 100 was sent. */
  continueSent(): void;
  /** All of the response was handed over. */
  responseEnded(): void;
  /** The response must not look complete. `hard`: only a reset tells. */
  responseAborted(cause: Error, hard: boolean): void;
}

/** Texts up to this go to the system without another allocation in Node's stream layer. */
const maximumText = 16_384;

/** A chunk above this is not worth the copy that lets it leave with the next one. */
const minimumAlone = 1024;

const notStarted = 0;
const streaming = 1;
const over = 2;

/** How the body of a streamed response is framed. */
const framedByLength = 0;
const framedChunked = 1;
const framedByClose = 2;
const withoutBody = 3;

const fields = new ResponseFieldWriter();

/**
 * The response of one exchange. A head and a small body leave as one text; small pieces of a stream wait for
 * the end of the turn of the event loop or for `flush`, so that they too leave together.
 */
export class EngineResponse implements ResponseSink {
  status: number | undefined = undefined;
  readonly #owner: ResponseOwner;
  readonly #head: boolean;
  readonly #http10: boolean;
  #state = notStarted;
  #framing = framedByLength;
  /** Bytes of the body that are still to come, when framed by length. */
  #remaining = 0;
  /** Text that was not handed to the socket yet. */
  #held = "";
  #waits = false;
  /** Nothing that is called from now on has an effect. */
  #closed = false;
  /** The system has taken all of it. */
  #flushed = false;
  #drain: (() => void) | undefined = undefined;
  #wantsDrain = false;

  constructor(owner: ResponseOwner, head: boolean, http10: boolean) {
    this.#owner = owner;
    this.#head = head;
    this.#http10 = http10;
  }

  get started(): boolean {
    return this.status !== undefined;
  }

  get ended(): boolean {
    return this.#state === over;
  }

  get trailersSupported(): boolean {
    return !this.#http10 && !this.#head && (this.#state === notStarted || this.#framing === framedChunked);
  }

  get pending(): number {
    return this.#closed || this.#flushed ? 0 : this.#owner.unsent + this.#held.length;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#closed) return;
    if (this.#state !== notStarted) throw new ExchangeStateError("an interim response after the final head");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is no interim status`);
    if (this.#http10) return;
    if (status === 100) this.#owner.continueSent();
    this.#owner.writeText(`${statusLine(status, undefined)}${fields.write(headers, false)}\r\n`);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    this.#sendWhole(head, typeof body === "string" && !isAscii(body) ? Buffer.from(body, "utf8") : body);
  }

  sendLatin1(head: ResponseHead, body: string): void {
    this.#sendWhole(head, body);
  }

  /** A string is latin1. */
  #sendWhole(head: ResponseHead, bytes: Uint8Array | string | undefined): void {
    if (this.#closed) return;
    this.#checkStart(head.status);
    const length = bytes === undefined ? 0 : bytes.length;
    const bodiless = hasNoBody(head.status);
    let text = statusLine(head.status, head.reason) + fields.write(head.headers, !forbidsLength(head.status));
    if (fields.contentLength >= 0) {
      if (!bodiless && !(this.#head && length === 0) && fields.contentLength !== length) {
        throw new ExchangeStateError(`the response has ${length} bytes and announces ${fields.contentLength}`);
      }
    } else if (!bodiless && !(this.#head && bytes === undefined)) {
      text += `Content-Length: ${length}\r\n`;
    }
    text = this.#finishHead(text, true);
    this.status = head.status;
    this.#state = over;
    const owner = this.#owner;
    if (bytes === undefined || length === 0 || bodiless || this.#head) owner.writeText(text);
    else if (typeof bytes === "string") owner.writeText(text + bytes);
    else if (text.length + length <= maximumText) owner.writeText(text + latin1(bytes));
    else this.#writeTogether(text, bytes);
    owner.responseEnded();
  }

  start(head: ResponseHead): void {
    if (this.#closed) return;
    this.#checkStart(head.status);
    let text = statusLine(head.status, head.reason) + fields.write(head.headers, !forbidsLength(head.status));
    if (this.#head || hasNoBody(head.status)) {
      this.#framing = withoutBody;
    } else if (fields.contentLength >= 0) {
      this.#framing = framedByLength;
      this.#remaining = fields.contentLength;
    } else if (this.#http10) {
      this.#framing = framedByClose;
    } else {
      this.#framing = framedChunked;
      text += "Transfer-Encoding: chunked\r\n";
    }
    this.#held = this.#finishHead(text, false);
    this.status = head.status;
    this.#state = streaming;
    this.#flushSoon();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== streaming) {
      if (this.#closed) return true;
      throw new ExchangeStateError(this.#state === notStarted ? "a body before the head" : "a body after the end");
    }
    const { length } = chunk;
    if (length === 0 || this.#framing === withoutBody) return true;
    if (this.#framing === framedByLength) {
      if (length > this.#remaining) {
        this.abort(new ExchangeStateError("the response is longer than its Content-Length"));
        return true;
      }
      this.#remaining -= length;
    }
    return this.#framing === framedChunked ? this.#writeChunk(chunk) : this.#writePlain(chunk);
  }

  flush(): void {
    if (this.#held === "") return;
    const text = this.#held;
    this.#held = "";
    this.#written(this.#owner.writeText(text));
  }

  end(trailers?: HeaderList): void {
    if (this.#state !== streaming) {
      if (this.#closed) return;
      throw new ExchangeStateError(this.#state === notStarted ? "an end before the head" : "a second end");
    }
    if (this.#framing === framedByLength && this.#remaining > 0) {
      this.abort(new ExchangeStateError("the response is shorter than its Content-Length"));
      return;
    }
    if (this.#framing === framedChunked) {
      this.#held += trailers === undefined ? "0\r\n\r\n" : `0\r\n${trailerFields(trailers)}\r\n`;
    }
    this.#state = over;
    this.flush();
    this.#owner.responseEnded();
  }

  abort(cause: Error): void {
    if (this.#closed) return;
    const hard = this.#state === streaming && this.#framing === framedByClose;
    this.close();
    this.#owner.responseAborted(cause, hard);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** The connection is lost or given up, or the exchange is over: calls do nothing from now on. */
  close(): void {
    this.#closed = true;
    this.#state = over;
    this.#held = "";
    this.#drain = undefined;
  }

  /** The system has taken all of the response. */
  flushed(): void {
    this.#flushed = true;
    this.#drain = undefined;
  }

  /** The response gave way to something else with `status`: an upgrade. */
  give(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("an upgrade after the final head");
    this.status = status;
    this.close();
  }

  /** The socket's buffer is empty again. */
  drained(): void {
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#drain?.();
  }

  #checkStart(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("a second final head");
    if (status < 200) throw new ExchangeStateError(`${status} is no final status`);
  }

  #finishHead(text: string, whole: boolean): string {
    let end = fields.hasDate ? text : text + dateLine();
    if (!this.#owner.decidePersistence(whole, this.#framing !== framedByClose)) end += "Connection: close\r\n";
    else if (this.#http10) end += "Connection: keep-alive\r\n";
    return `${end}\r\n`;
  }

  #writePlain(chunk: Uint8Array): boolean {
    const complete = this.#framing === framedByLength && this.#remaining === 0;
    if (this.#held === "" && (complete || chunk.length > minimumAlone)) return this.#written(this.#owner.writeBytes(chunk));
    if (this.#held.length + chunk.length <= maximumText) {
      this.#held += latin1(chunk);
      if (complete) this.flush();
      else this.#flushSoon();
      return this.#hasRoom();
    }
    return this.#writeLarge(this.#held, chunk, "");
  }

  #writeChunk(chunk: Uint8Array): boolean {
    const size = `${chunk.length.toString(16)}\r\n`;
    if (this.#held.length + chunk.length <= maximumText) {
      this.#held += `${size}${latin1(chunk)}\r\n`;
      this.#flushSoon();
      return this.#hasRoom();
    }
    return this.#writeLarge(this.#held + size, chunk, "\r\n");
  }

  #writeLarge(before: string, chunk: Uint8Array, after: string): boolean {
    this.#held = "";
    const owner = this.#owner;
    owner.cork();
    if (before !== "") owner.writeText(before);
    owner.writeBytes(chunk);
    if (after !== "") owner.writeText(after);
    return this.#written(owner.uncork());
  }

  #writeTogether(text: string, bytes: Uint8Array): void {
    this.#owner.cork();
    this.#owner.writeText(text);
    this.#owner.writeBytes(bytes);
    this.#owner.uncork();
  }

  #written(room: boolean): boolean {
    if (!room) this.#wantsDrain = true;
    return room;
  }

  /** Whether earlier pieces left room; the one in hand was copied. */
  #hasRoom(): boolean {
    return !this.#wantsDrain;
  }

  #flushSoon(): void {
    if (this.#waits) return;
    this.#waits = true;
    waiting.push(this);
    if (flushing) return;
    flushing = true;
    void now.then(flushWaiting);
  }

  /** The held text at the end of a turn. */
  flushHeld(): void {
    this.#waits = false;
    this.flush();
  }
}

/**
 * The responses that hold text until the callback in hand is over. One microtask for all of them, without a closure:
 * `nextTick` makes Node go through JavaScript once more after every read.
 */
const waiting: EngineResponse[] = [];
let flushing = false;
const now = Promise.resolve();

function flushWaiting(): void {
  flushing = false;
  for (let response = waiting.pop(); response !== undefined; response = waiting.pop()) response.flushHeld();
}

function latin1(bytes: Uint8Array): string {
  return Buffer.isBuffer(bytes)
    ? bytes.toString("latin1")
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Whether UTF-8 and latin1 give the same bytes. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

/** A Content-Length is not allowed with these (RFC 9110, 8.6). */
function forbidsLength(status: number): boolean {
  return status === 204 || status < 200;
}
