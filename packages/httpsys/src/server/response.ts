import { ExchangeStateError, HeaderList, isHeaderName, isHeaderValue, isReasonPhrase, reasonPhrase, type ResponseHead, type ResponseSink } from "@proxy/http";
import type { FileRange } from "../encode-response.ts";
import type { RequestHandle } from "./request-call.ts";
import { Sender, type SenderOwner } from "./sender.ts";

export interface ResponseOwner {
  readonly method: string;
  readonly version: "1.0" | "1.1" | "2" | "3";
  readonly bufferSize: number;
  /** Whether this HTTP.sys sends trailers of HTTP/2 and HTTP/3. */
  readonly sendsTrailers: boolean;
  /** Called once, before the head: whether the connection ends with this answer. */
  closes(hasLength: boolean): boolean;
  keepsAlive10(): boolean;
  finished(): void;
  /** A send failed: the client is gone. */
  failed(code: number): void;
  /** `abort` was called, or the body broke its Content-Length. */
  aborted(cause: Error): void;
}

/**
 * The sink over HttpSendHttpResponse and HttpSendResponseEntityBody. HTTP.sys writes heads, and trailers of HTTP/2 and HTTP/3 where it can;
 * chunks of HTTP/1.1 are framed here with their trailers, as it asks of its users.
 */
export class HttpSysResponse implements ResponseSink, SenderOwner {
  readonly #owner: ResponseOwner;
  readonly #sender: Sender;
  #status: number | undefined;
  #ended = false;
  #dead = false;
  #bodiless = false;
  #chunked = false;
  #close = false;
  #declared: number | undefined;
  #written = 0;
  #needDrain = false;
  #drain: (() => void) | undefined;

  constructor(handle: RequestHandle, owner: ResponseOwner) {
    this.#owner = owner;
    this.#sender = new Sender(handle, this);
  }

  get started(): boolean {
    return this.#status !== undefined;
  }
  get status(): number | undefined {
    return this.#status;
  }
  get ended(): boolean {
    return this.#ended || this.#dead;
  }
  get pending(): number {
    return this.#dead ? 0 : this.#sender.pending;
  }
  get trailersSupported(): boolean {
    const { version, method, sendsTrailers } = this.#owner;
    if (version === "1.0" || method === "HEAD") return false;
    if (version !== "1.1") return sendsTrailers && !(this.started && this.#bodiless);
    return !this.started || this.#chunked;
  }

  /** HTTP.sys has no call for interim responses; 100 it sends itself when the body is read. Checked, then dropped. */
  informational(status: number): void {
    if (this.#dead) return;
    if (this.started) throw new ExchangeStateError("an informational response after the final one");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is not informational`);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    if (this.#dead) return;
    const bytes = body === undefined ? empty : typeof body === "string" ? Buffer.from(body, "utf8") : body;
    this.#writeHead(head, bytes.length);
    if (!this.#bodiless && this.#declared !== undefined && this.#declared !== bytes.length) {
      this.#mismatch();
      return;
    }
    if (!this.#bodiless && bytes.length > 0) this.#sender.add(bytes);
    this.#finish();
  }

  start(head: ResponseHead): void {
    if (this.#dead) return;
    this.#writeHead(head, undefined);
    // Alone, lest HTTP.sys take the first bytes for all of them and write a length.
    if (!this.#bodiless && this.#declared === undefined && !this.#chunked) this.#sender.flush();
    else this.#sender.flushSoon();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#dead) return true;
    if (!this.started || this.#ended) throw new ExchangeStateError(this.#ended ? "a write after the end" : "a write before the head");
    if (this.#bodiless || chunk.length === 0) return true;
    if (!this.#count(chunk.length)) return true;
    const { bufferSize } = this.#owner;
    if (this.#chunked) this.#sender.add(Buffer.from(`${chunk.length.toString(16)}\r\n`, "latin1"));
    this.#sender.add(chunk);
    if (this.#chunked) this.#sender.add(lineEnd);
    this.#sender.flushSoon();
    if (this.#sender.pending < bufferSize) return true;
    this.#needDrain = true;
    return false;
  }

  /** A part of a file, read by HTTP.sys itself: as `write`. The file stays open until the response is over. */
  writeFile(range: FileRange): boolean {
    if (this.#dead) return true;
    if (!this.started || this.#ended) throw new ExchangeStateError("a write out of order");
    if (this.#bodiless || range.length === 0n) return true;
    if (!this.#count(Number(range.length))) return true;
    if (this.#chunked) this.#sender.add(Buffer.from(`${range.length.toString(16)}\r\n`, "latin1"));
    this.#sender.add(range);
    if (this.#chunked) this.#sender.add(lineEnd);
    this.#sender.flushSoon();
    this.#needDrain ||= this.#sender.pending >= this.#owner.bufferSize;
    return !this.#needDrain;
  }

  flush(): void {
    if (!this.#dead && this.started && !this.#ended) this.#sender.flush();
  }

  end(trailers?: HeaderList): void {
    if (this.#dead) return;
    if (!this.started || this.#ended) throw new ExchangeStateError(this.#ended ? "a second end" : "an end before the head");
    if (!this.#bodiless && this.#declared !== undefined && this.#written !== this.#declared) {
      this.#mismatch();
      return;
    }
    if (this.#chunked) this.#sender.add(Buffer.from(`0\r\n${trailers === undefined ? "" : trailerText(trailers)}\r\n`, "latin1"));
    else if (trailers !== undefined && this.#owner.version !== "1.1" && this.trailersSupported) {
      const lines = trailerLines(trailers);
      if (lines.length > 0) this.#sender.add({ trailers: lines });
    }
    this.#finish();
  }

  abort(cause: Error): void {
    if (this.#dead) return;
    this.die();
    this.#owner.aborted(cause);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** From here on every call does nothing. */
  die(): void {
    this.#dead = true;
    this.#sender.stop();
  }

  /** The response gave way to a tunnel. */
  give(status: number): void {
    this.#status = status;
    this.die();
  }

  sent(): void {
    if (!this.#needDrain || this.#sender.pending > 0) return;
    this.#needDrain = false;
    this.#drain?.();
  }

  finished(): void {
    this.#dead = true;
    this.#owner.finished();
  }

  failed(code: number): void {
    this.#owner.failed(code);
  }

  #finish(): void {
    this.#ended = true;
    this.#sender.end(this.#close);
    this.#sender.flush();
  }

  #count(bytes: number): boolean {
    this.#written += bytes;
    if (this.#declared === undefined || this.#written <= this.#declared) return true;
    this.#mismatch();
    return false;
  }

  #mismatch(): void {
    this.abort(new ExchangeStateError("the response body does not have the announced Content-Length"));
  }

  #writeHead(head: ResponseHead, length: number | undefined): void {
    if (this.started || this.#ended) throw new ExchangeStateError("a second final response");
    const { status } = head;
    if (status < 200 || status > 999) throw new ExchangeStateError(`${status} is not a final status`);
    const { method, version } = this.#owner;
    const bodiless = method === "HEAD" || status === 204 || status === 304;
    const hasLength = length !== undefined || head.headers.has("content-length");
    const mayTrail = !bodiless && (version === "1.1" ? !hasLength : version !== "1.0" && this.#owner.sendsTrailers);
    const { lines, declared } = framedLines(head, length, mayTrail);
    const chunked = !bodiless && declared === undefined && version === "1.1";
    if (version === "1.0" || version === "1.1") {
      this.#close = this.#owner.closes(declared !== undefined || bodiless || chunked);
      if (this.#close) lines.push("Connection", "close");
      else if (version === "1.0" && this.#owner.keepsAlive10()) lines.push("Connection", "keep-alive");
      if (chunked) lines.push("Transfer-Encoding", "chunked");
    }
    const isReason = head.reason !== undefined && isReasonPhrase(head.reason) && head.reason.length <= mostOfUshort;
    const reason = isReason ? (head.reason as string) : reasonPhrase(status);
    this.#sender.head({ status, reason, headers: lines });
    this.#status = status;
    this.#bodiless = bodiless;
    this.#declared = bodiless ? undefined : declared;
    this.#chunked = chunked;
  }
}

const empty = new Uint8Array(0);
/** Lengths of names, values and the reason, and their numbers, are USHORT. Some lines are added to a handler's. */
const mostOfUshort = 65_535;
const mostLines = mostOfUshort - 8;
const lineEnd = Buffer.from("\r\n", "latin1");

/** The handler's lines without those of framing and connection, and the length that holds. */
function framedLines({ headers, status }: ResponseHead, length: number | undefined, mayTrail: boolean): { lines: string[]; declared: number | undefined } {
  const lines: string[] = [];
  let declared: number | undefined;
  for (let i = 0; i < headers.size; i++) {
    const key = headers.keyAt(i);
    if (key === "transfer-encoding" || key === "connection" || key === "keep-alive") continue;
    if (key === "trailer" && !mayTrail) continue;
    const value = headers.valueAt(i);
    if (key === "content-length") {
      if (declared !== undefined || status === 204) continue;
      declared = Number(value);
    }
    checkLine(headers.nameAt(i), value);
    lines.push(headers.nameAt(i), value);
  }
  if (length !== undefined && declared === undefined && status !== 204 && status !== 304) {
    declared = length;
    lines.push("Content-Length", String(length));
  }
  checkCount(lines);
  return { lines, declared };
}

/** @throws {ExchangeStateError} for a line that could split the message: it must never leave. */
export function checkLine(name: string, value: string): void {
  if (!isHeaderName(name) || name.length > mostOfUshort) throw new ExchangeStateError("a header name of the response holds an illegal character, or too many");
  if (!isHeaderValue(value) || value.length > mostOfUshort) throw new ExchangeStateError(`the response header ${name} holds an illegal character, or too many`);
}

function checkCount(lines: readonly string[]): void {
  if (lines.length / 2 > mostLines) throw new ExchangeStateError(`a response with more than ${mostLines} header lines`);
}

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  "connection", "content-encoding", "content-length", "content-range", "content-type", "host", "keep-alive", "te",
  "trailer", "transfer-encoding", "upgrade",
]);

function trailerLines(trailers: HeaderList): string[] {
  const lines: string[] = [];
  for (let i = 0; i < trailers.size; i++) {
    if (forbiddenTrailers.has(trailers.keyAt(i))) continue;
    checkLine(trailers.nameAt(i), trailers.valueAt(i));
    lines.push(trailers.nameAt(i), trailers.valueAt(i));
  }
  checkCount(lines);
  return lines;
}

function trailerText(trailers: HeaderList): string {
  const lines = trailerLines(trailers);
  let text = "";
  for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`;
  return text;
}
