/** An exchange without a connection: what a step answers is recorded. For tests of the proxy itself, not of the wire. */
import {
  ClientGoneError,
  HeaderList,
  type BodyLimitFeature,
  type BodySource,
  type ConnectionInfo,
  type Exchange,
  type ExchangeFeatures,
  type RequestHead,
  type ResponseHead,
  type ResponseSink,
} from "@proxy/http";

export interface FakeRequest {
  readonly method?: string;
  /** Path and query. */
  readonly target?: string;
  readonly authority?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly remoteAddress?: string;
  readonly body?: BodySource;
  readonly bodyLimit?: BodyLimitFeature;
  readonly scheme?: "http" | "https";
  readonly pathBase?: string | undefined;
  /** What else differs from a plain connection. */
  readonly connection?: Partial<ConnectionInfo>;
}

export class FakeExchange implements Exchange {
  readonly request: RequestHead;
  readonly connection: Exchange["connection"];
  readonly body: BodySource | undefined;
  readonly response = new FakeResponse(() => this.#complete());
  readonly features: ExchangeFeatures;
  #goneListeners: ((cause: Error) => void)[] = [];
  #completeListeners: (() => void)[] = [];
  #over = false;

  constructor(request: FakeRequest = {}) {
    const target = request.target ?? "/";
    const question = target.indexOf("?");
    const authority = request.authority ?? "gateway.test";
    this.request = {
      method: request.method ?? "GET",
      target,
      path: question < 0 ? target : target.slice(0, question),
      query: question < 0 ? "" : target.slice(question),
      scheme: request.scheme ?? "http",
      pathBase: request.pathBase,
      authority,
      httpVersion: "1.1",
      headers: HeaderList.from([["Host", authority], ...(request.headers ?? [])]),
    };
    this.connection = {
      id: 1,
      remoteAddress: request.remoteAddress ?? "192.0.2.7",
      remotePort: 50_000,
      localAddress: "192.0.2.1",
      localPort: 80,
      tls: undefined,
      ...request.connection,
    };
    this.body = request.body;
    this.features = { bodyLimit: request.bodyLimit };
  }

  onClientGone(listener: (cause: Error) => void): void {
    this.#goneListeners.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#over) listener();
    else this.#completeListeners.push(listener);
  }

  /** The client leaves. */
  leave(): void {
    if (this.#over) return;
    this.response.ended = true;
    for (const listener of this.#goneListeners) listener(new ClientGoneError("the client left"));
    this.#complete();
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    for (const listener of this.#completeListeners) listener();
  }
}

export class FakeResponse implements ResponseSink {
  started = false;
  ended = false;
  readonly trailersSupported = true;
  readonly pending = 0;
  head: ResponseHead | undefined;
  trailers: HeaderList | undefined;
  aborted: Error | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly #over: () => void;

  constructor(over: () => void) {
    this.#over = over;
  }

  get status(): number | undefined {
    return this.head?.status;
  }

  /** The body as text. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  header(name: string): string | undefined {
    return this.head?.headers.get(name.toLowerCase());
  }

  informational(): void {}

  send(head: ResponseHead, body?: Uint8Array | string): void {
    this.start(head);
    if (body !== undefined) this.write(typeof body === "string" ? Buffer.from(body) : body);
    this.end();
  }

  start(head: ResponseHead): void {
    if (this.ended) return;
    if (this.started) throw new Error("the response has started");
    this.started = true;
    this.head = head;
  }

  write(chunk: Uint8Array): boolean {
    this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  flush(): void {}

  end(trailers?: HeaderList): void {
    if (this.ended) return;
    this.trailers = trailers;
    this.ended = true;
    this.#over();
  }

  abort(cause: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.aborted = cause;
    this.#over();
  }

  onDrain(): void {}
}
