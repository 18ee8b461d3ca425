import type { ServerResponse } from "node:http";
import { ExchangeStateError } from "../errors.ts";
import type { ResponseHead, ResponseSink } from "../exchange.ts";
import { isHeaderName, isHeaderValue, isReasonPhrase } from "../field-grammar.ts";
import type { HeaderList } from "../header-list.ts";
import { reasonPhrase } from "../reason-phrase.ts";

/** What a response needs from its exchange. */
export interface ResponseOwner {
  readonly method: string;
  readonly isHttp10: boolean;
  /** Called before the final head is written: may turn keep-alive off on the response. */
  beforeHead(): void;
  /** Sends 100 unless it was sent. */
  sendContinue(): void;
  /** `abort` was called, or the body broke its Content-Length: the connection is to be cut. */
  aborted(cause: Error): void;
}

/** The sink over a `ServerResponse`: order of calls, framing, and an enforced Content-Length. */
export class NodeResponse implements ResponseSink {
  readonly #res: ServerResponse;
  readonly #owner: ResponseOwner;
  #status: number | undefined;
  #ended = false;
  /** After abort or a lost client: every call is accepted and does nothing. */
  #dead = false;
  #bodiless = false;
  #declared: number | undefined;
  #written = 0;
  #chunked = false;
  #drain: (() => void) | undefined;

  constructor(res: ServerResponse, owner: ResponseOwner) {
    this.#res = res;
    this.#owner = owner;
    res.on("drain", () => this.#drain?.());
    res.on("error", () => undefined);
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
    return this.#dead ? 0 : this.#res.writableLength;
  }

  get trailersSupported(): boolean {
    if (this.#owner.isHttp10 || this.#owner.method === "HEAD") return false;
    return !this.started || this.#chunked;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.#dead) return;
    if (this.started) throw new ExchangeStateError("an informational response after the final one");
    if (status < 100 || status > 199 || status === 101) throw new ExchangeStateError(`${status} is not informational`);
    if (this.#owner.isHttp10) return;
    if (status === 100) {
      this.#owner.sendContinue();
      return;
    }
    checkLines(headers);
    // Without a socket, earlier answers on the connection are still due, and Node has no place to queue this one.
    const { socket } = this.#res;
    socket?.write(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${headers.toWire()}\r\n`, "latin1");
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    if (this.#dead) return;
    const bytes = body === undefined ? empty : typeof body === "string" ? Buffer.from(body, "utf8") : body;
    this.#writeHead(head, bytes.length);
    if (!this.#bodiless && this.#declared !== undefined && this.#declared !== bytes.length) {
      this.#mismatch();
      return;
    }
    this.#ended = true;
    if (this.#bodiless || bytes.length === 0) this.#res.end();
    else this.#res.end(bytes);
  }

  start(head: ResponseHead): void {
    if (this.#dead) return;
    this.#writeHead(head, undefined);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#dead) return true;
    if (!this.started || this.#ended) throw new ExchangeStateError(this.#ended ? "a write after the end" : "a write before the head");
    if (this.#bodiless || chunk.length === 0) return true;
    this.#written += chunk.length;
    if (this.#declared !== undefined && this.#written > this.#declared) {
      this.#mismatch();
      return true;
    }
    return this.#res.write(chunk);
  }

  flush(): void {
    if (this.#dead || !this.started || this.#ended) return;
    this.#res.flushHeaders();
  }

  end(trailers?: HeaderList): void {
    if (this.#dead) return;
    if (!this.started || this.#ended) throw new ExchangeStateError(this.#ended ? "a second end" : "an end before the head");
    if (!this.#bodiless && this.#declared !== undefined && this.#written !== this.#declared) {
      this.#mismatch();
      return;
    }
    if (trailers !== undefined && this.#chunked) this.#res.addTrailers(trailerLines(trailers));
    this.#ended = true;
    this.#res.end();
  }

  abort(cause: Error): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#owner.aborted(cause);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** The response gave way to a tunnel that was opened with `status`. */
  give(status: number): void {
    this.#status = status;
    this.#dead = true;
  }

  /** From here on every call does nothing. */
  die(): void {
    this.#dead = true;
  }

  #writeHead(head: ResponseHead, length: number | undefined): void {
    if (this.started || this.#ended) throw new ExchangeStateError("a second final response");
    const { status } = head;
    if (status < 200 || status > 999) throw new ExchangeStateError(`${status} is not a final status`);
    const bodiless = this.#owner.method === "HEAD" || status === 204 || status === 304;
    const lines = framedLines(head, length, !bodiless && !this.#owner.isHttp10);
    this.#owner.beforeHead();
    const reason = head.reason !== undefined && isReasonPhrase(head.reason) ? head.reason : reasonPhrase(status);
    this.#res.writeHead(status, reason, lines);
    this.#status = status;
    this.#bodiless = bodiless;
    const declared = bodiless ? undefined : contentLength(lines);
    this.#declared = declared;
    this.#chunked = !bodiless && declared === undefined && !this.#owner.isHttp10;
  }

  #mismatch(): void {
    this.abort(new ExchangeStateError("the response body does not have the announced Content-Length"));
  }
}

const empty = new Uint8Array(0);

/**
 * The lines for `writeHead`: framing and connection fields are Node's, Content-Length stays or is added for `length`.
 * Trailer stands only where there can be trailers, in chunks: elsewhere Node throws.
 */
function framedLines(head: ResponseHead, length: number | undefined, mayBeChunked: boolean): string[] {
  const { headers, status } = head;
  const lines: string[] = [];
  let hasLength = false;
  for (let i = 0; i < headers.size; i++) {
    const key = headers.keyAt(i);
    if (key === "transfer-encoding" || key === "connection" || key === "keep-alive") continue;
    if (key === "trailer" && (!mayBeChunked || length !== undefined || headers.has("content-length"))) continue;
    if (key === "content-length") {
      if (hasLength || status === 204) continue;
      hasLength = true;
    }
    const name = headers.nameAt(i);
    const value = headers.valueAt(i);
    checkLine(name, value);
    lines.push(name, value);
  }
  if (length !== undefined && !hasLength && status !== 204 && status !== 304) lines.push("Content-Length", String(length));
  return lines;
}

/** Node would throw too, in the middle of its own work; a line that could split the message must never leave. */
function checkLine(name: string, value: string): void {
  if (!isHeaderName(name)) throw new ExchangeStateError("a header name of the response holds an illegal character");
  if (!isHeaderValue(value)) throw new ExchangeStateError(`the response header ${name} holds an illegal character`);
}

/** Checks lines that are written without Node's help. */
export function checkLines(headers: HeaderList): void {
  for (let i = 0; i < headers.size; i++) checkLine(headers.nameAt(i), headers.valueAt(i));
}

/** Fields that a trailer section must not hold (RFC 9110, 6.5.1). */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  "connection", "content-encoding", "content-length", "content-range", "content-type", "host", "keep-alive", "te",
  "trailer", "transfer-encoding", "upgrade",
]);

function trailerLines(trailers: HeaderList): [name: string, value: string][] {
  const lines: [string, string][] = [];
  for (let i = 0; i < trailers.size; i++) {
    if (forbiddenTrailers.has(trailers.keyAt(i))) continue;
    checkLine(trailers.nameAt(i), trailers.valueAt(i));
    lines.push([trailers.nameAt(i), trailers.valueAt(i)]);
  }
  return lines;
}

function contentLength(lines: readonly string[]): number | undefined {
  for (let i = 0; i < lines.length; i += 2) {
    if ((lines[i] as string).toLowerCase() === "content-length") return Number(lines[i + 1]);
  }
  return undefined;
}
