import {
  type BodySource,
  type ConnectionInfo,
  type Exchange,
  type ExchangeFeatures,
  ExchangeStateError,
  HeaderList,
  type HttpVersion,
  type RequestHead,
  type ResponseHead,
  type ResponseSink,
} from "@proxy/http";

type Lines = readonly (readonly [name: string, value: string])[];

export interface FakeExchangeOptions {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly query?: string | undefined;
  readonly headers?: Lines | undefined;
  readonly httpVersion?: HttpVersion | undefined;
  readonly authority?: string | undefined;
  readonly remoteAddress?: string | undefined;
  readonly body?: BodySource | undefined;
  readonly features?: ExchangeFeatures | undefined;
  /** Bytes that `write` takes before it says wait. Default unlimited. */
  readonly capacity?: number | undefined;
}

/** The answer as a client would have had it, with the order of calls enforced. */
export class FakeSink implements ResponseSink {
  head: { status: number; reason: string | undefined; headers: HeaderList } | undefined;
  readonly informationals: { status: number; headers: HeaderList }[] = [];
  readonly chunks: Buffer[] = [];
  trailers: HeaderList | undefined;
  whole = false;
  /** It came by `sendLatin1`. */
  sentAsText = false;
  aborted: Error | undefined;
  clientGone = false;
  pending = 0;
  flushes = 0;
  /** Thrown by the next `start` or `send`. */
  refuse: Error | undefined;
  readonly #capacity: number;
  #drain: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get started(): boolean {
    return this.head !== undefined;
  }

  get status(): number | undefined {
    return this.head?.status;
  }

  get ended(): boolean {
    return this.whole || this.aborted !== undefined || this.clientGone;
  }

  get trailersSupported(): boolean {
    return true;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  informational(status: number, headers: HeaderList): void {
    this.informationals.push({ status, headers });
  }

  send(head: ResponseHead, body?: Uint8Array | string): void {
    if (this.#deaf()) return;
    this.#begin(head);
    if (body !== undefined) this.chunks.push(Buffer.from(body as string));
    this.whole = true;
  }

  sendLatin1(head: ResponseHead, body: string): void {
    if (this.#deaf()) return;
    this.#begin(head);
    this.chunks.push(Buffer.from(body, "latin1"));
    this.sentAsText = true;
    this.whole = true;
  }

  start(head: ResponseHead): void {
    if (!this.#deaf()) this.#begin(head);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#deaf()) return true;
    if (!this.started || this.whole) throw new ExchangeStateError("write out of order");
    this.chunks.push(Buffer.from(chunk));
    this.pending += this.#capacity === Number.POSITIVE_INFINITY ? 0 : chunk.length;
    return this.pending < this.#capacity;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  /** The client read everything. */
  drain(): void {
    this.pending = 0;
    this.#drain?.();
  }

  flush(): void {
    this.flushes++;
  }

  end(trailers?: HeaderList): void {
    if (this.#deaf()) return;
    if (!this.started || this.whole) throw new ExchangeStateError("end out of order");
    this.trailers = trailers;
    this.whole = true;
  }

  abort(cause: Error): void {
    if (!this.ended) this.aborted = cause;
  }

  #deaf(): boolean {
    return this.aborted !== undefined || this.clientGone;
  }

  #begin(head: ResponseHead): void {
    if (this.refuse !== undefined) throw this.refuse;
    if (this.started) throw new ExchangeStateError("started twice");
    this.head = { status: head.status, reason: head.reason, headers: head.headers.copy() };
  }
}

export class FakeExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: BodySource | undefined;
  readonly response: FakeSink;
  readonly features: ExchangeFeatures;
  #gone: Error | undefined;
  #onGone: ((cause: Error) => void) | undefined;

  constructor(options: FakeExchangeOptions = {}) {
    const authority = options.authority ?? "client.example";
    const path = options.path ?? "/";
    const query = options.query ?? "";
    this.request = {
      method: options.method ?? "GET",
      target: path + query,
      path,
      query,
      scheme: "http",
      authority,
      httpVersion: options.httpVersion ?? "1.1",
      headers: HeaderList.from([["Host", authority], ...(options.headers ?? [])]),
    };
    this.connection = {
      id: 1,
      remoteAddress: "remoteAddress" in options ? options.remoteAddress : "192.0.2.7",
      remotePort: 4000,
      localAddress: "192.0.2.1",
      localPort: 80,
      tls: undefined,
    };
    this.body = options.body;
    this.features = options.features ?? {};
    this.response = new FakeSink(options.capacity ?? Number.POSITIVE_INFINITY);
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else this.#onGone = listener;
  }

  onComplete(): void {}

  leave(cause: Error): void {
    this.#gone = cause;
    this.response.clientGone = true;
    this.#onGone?.(cause);
  }
}
