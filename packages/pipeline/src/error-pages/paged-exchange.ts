/**
 * An exchange whose errors get pages. Every answer of the gateway itself is one `send` without a body, whoever gives it; a destination's begins
 * with `start`: so it is told which is which. The rest of an intercepted answer is dropped as it comes, so that its connection lives on; of
 * one that is too long the connection is given up.
 */
import type { Exchange, HeaderList, RequestHead, ResponseHead, ResponseSink } from "@proxy/http";
import { WrappedExchange } from "../wrapped-exchange.ts";
import type { ErrorPage, ErrorPages } from "./error-pages.ts";

export class PagedExchange extends WrappedExchange {
  constructor(presented: Exchange, pages: ErrorPages) {
    super(presented, new PagedSink(presented.response, presented.request, pages));
  }
}

/** What is said of the content that a page takes the place of. */
const ofContent: ReadonlySet<string> = new Set([
  "accept-ranges",
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "etag",
  "last-modified",
  "repr-digest",
]);

/** More of an answer that nobody gets is not read. */
const enoughDropped = 1_048_576;

class PagedSink implements ResponseSink {
  readonly #sink: ResponseSink;
  readonly #request: RequestHead;
  readonly #pages: ErrorPages;
  /** A page was sent: what comes of the answer is dropped. */
  #replaced = false;
  #dropped = 0;

  constructor(sink: ResponseSink, request: RequestHead, pages: ErrorPages) {
    this.#sink = sink;
    this.#request = request;
    this.#pages = pages;
  }

  get started(): boolean {
    return this.#sink.started;
  }

  get status(): number | undefined {
    return this.#sink.status;
  }

  get ended(): boolean {
    return this.#sink.ended;
  }

  get trailersSupported(): boolean {
    return this.#sink.trailersSupported;
  }

  get pending(): number {
    return this.#replaced ? 0 : this.#sink.pending;
  }

  informational(status: number, headers: HeaderList): void {
    this.#sink.informational(status, headers);
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    const page = body === undefined || body.length === 0 ? this.#pageFor(head, false) : undefined;
    if (page === undefined) this.#sink.send(head, body);
    else this.#sink.send(this.#headOf(head, page), page.body);
  }

  start(head: ResponseHead): void {
    const page = this.#pageFor(head, true);
    if (page === undefined) {
      this.#sink.start(head);
      return;
    }
    this.#sink.send(this.#headOf(head, page), page.body);
    this.#replaced = true;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#replaced) return this.#sink.write(chunk);
    this.#dropped += chunk.length;
    if (this.#dropped > enoughDropped) throw new Error("an answer that a page took the place of has too long a body");
    return true;
  }

  onDrain(listener: () => void): void {
    this.#sink.onDrain(listener);
  }

  flush(): void {
    if (!this.#replaced) this.#sink.flush();
  }

  end(trailers?: HeaderList): void {
    if (!this.#replaced) this.#sink.end(trailers);
  }

  abort(cause: Error): void {
    // The page is whole, whatever becomes of the answer that it stands for.
    if (!this.#replaced) this.#sink.abort(cause);
  }

  #pageFor({ status }: ResponseHead, ofDestination: boolean): ErrorPage | undefined {
    return status < 400 ? undefined : this.#pages.find(status, this.#request, ofDestination);
  }

  #headOf(head: ResponseHead, page: ErrorPage): ResponseHead {
    const headers = head.headers.copy();
    headers.filter((key) => !ofContent.has(key));
    headers.append("Content-Type", page.contentType);
    if (this.#pages.negotiated) headers.append("Vary", "Accept");
    return { status: head.status, reason: head.reason, headers };
  }
}
