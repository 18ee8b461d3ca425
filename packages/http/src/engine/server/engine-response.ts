import { ExchangeStateError } from "../../errors.ts";
import type { ResponseHead, ResponseSink } from "../../exchange.ts";
import { HeaderList } from "../../header-list.ts";
import { latin1Text } from "../latin1-text.ts";
import type { ClientOutput } from "./client-output.ts";
import { dateLine } from "./date-line.ts";
import { ResponseFieldWriter } from "./response-fields.ts";
import {
  framedByClose, framedByLength, framedChunked, maximumText, ResponseStream, withoutBody,
} from "./response-stream.ts";
import { statusLine } from "./status-line.ts";

/** What a response asks of the turn that it belongs to. */
export interface ResponseOwner {
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

const notStarted = 0;
const streaming = 1;
const over = 2;

const fields = new ResponseFieldWriter();

/** The response of one exchange. A head and a small body leave as one text; a body that comes in pieces is a `ResponseStream`. */
export class EngineResponse implements ResponseSink {
  status: number | undefined = undefined;
  readonly #owner: ResponseOwner;
  readonly #output: ClientOutput;
  readonly #head: boolean;
  readonly #http10: boolean;
  #state = notStarted;
  #stream: ResponseStream | undefined = undefined;
  /** Nothing that is called from now on has an effect. */
  #closed = false;
  /** The system has taken all of it. */
  #flushed = false;
  #drain: (() => void) | undefined = undefined;

  constructor(owner: ResponseOwner, output: ClientOutput, head: boolean, http10: boolean) {
    this.#owner = owner;
    this.#output = output;
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
    return !this.#http10 && !this.#head && (this.#state === notStarted || this.#stream?.framing === framedChunked);
  }

  get pending(): number {
    return this.#closed || this.#flushed ? 0 : this.#output.unsent + (this.#stream?.heldLength ?? 0);
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#closed) return;
    if (this.#state !== notStarted) throw new ExchangeStateError("an interim response after the final head");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is no interim status`);
    if (this.#http10) return;
    if (status === 100) this.#owner.continueSent();
    this.#output.writeText(`${statusLine(status, undefined)}${fields.write(headers, false)}\r\n`);
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
    text = this.#finishHead(text, true, true);
    this.status = head.status;
    this.#state = over;
    const output = this.#output;
    if (bytes === undefined || length === 0 || bodiless || this.#head) output.writeText(text);
    else if (typeof bytes === "string") output.writeText(text + bytes);
    else if (text.length + length <= maximumText) output.writeText(text + latin1Text(bytes));
    else this.#writeTogether(text, bytes);
    this.#owner.responseEnded();
  }

  start(head: ResponseHead): void {
    if (this.#closed) return;
    this.#checkStart(head.status);
    let text = statusLine(head.status, head.reason) + fields.write(head.headers, !forbidsLength(head.status));
    let framing = framedByLength;
    if (this.#head || hasNoBody(head.status)) {
      framing = withoutBody;
    } else if (fields.contentLength < 0) {
      framing = this.#http10 ? framedByClose : framedChunked;
      if (framing === framedChunked) text += "Transfer-Encoding: chunked\r\n";
    }
    const length = fields.contentLength;
    text = this.#finishHead(text, false, framing !== framedByClose);
    this.status = head.status;
    this.#state = streaming;
    this.#stream = new ResponseStream(this.#output, text, framing, length);
  }

  write(chunk: Uint8Array): boolean {
    const stream = this.#stream;
    if (this.#state !== streaming || stream === undefined) {
      if (this.#closed) return true;
      throw new ExchangeStateError(this.#state === notStarted ? "a body before the head" : "a body after the end");
    }
    if (chunk.length === 0) return true;
    if (stream.exceededBy(chunk.length)) {
      this.abort(new ExchangeStateError("the response is longer than its Content-Length"));
      return true;
    }
    return stream.write(chunk);
  }

  writeLatin1(text: string): boolean {
    const stream = this.#stream;
    // What is out of the ordinary is for `write` to judge.
    if (this.#state !== streaming || stream === undefined || text === "" || stream.exceededBy(text.length)) {
      return this.write(Buffer.from(text, "latin1"));
    }
    return stream.writeText(text);
  }

  flush(): void {
    this.#stream?.flush();
  }

  end(trailers?: HeaderList): void {
    const stream = this.#stream;
    if (this.#state !== streaming || stream === undefined) {
      if (this.#closed) return;
      throw new ExchangeStateError(this.#state === notStarted ? "an end before the head" : "a second end");
    }
    if (stream.incomplete) {
      this.abort(new ExchangeStateError("the response is shorter than its Content-Length"));
      return;
    }
    stream.finish(trailers);
    this.#state = over;
    stream.flush();
    this.#owner.responseEnded();
  }

  abort(cause: Error): void {
    if (this.#closed) return;
    const hard = this.#state === streaming && this.#stream?.framing === framedByClose;
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
    this.#stream?.drop();
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
    if (this.#stream?.drained() === true) this.#drain?.();
  }

  #checkStart(status: number): void {
    if (this.#state !== notStarted) throw new ExchangeStateError("a second final head");
    if (status < 200) throw new ExchangeStateError(`${status} is no final status`);
  }

  /** `possible`: the connection can go on behind this response. */
  #finishHead(text: string, whole: boolean, possible: boolean): string {
    let end = fields.hasDate ? text : text + dateLine();
    if (!this.#owner.decidePersistence(whole, possible)) end += "Connection: close\r\n";
    else if (this.#http10) end += "Connection: keep-alive\r\n";
    return `${end}\r\n`;
  }

  #writeTogether(text: string, bytes: Uint8Array): void {
    this.#output.cork();
    this.#output.writeText(text);
    this.#output.writeBytes(bytes);
    this.#output.uncork();
  }
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
