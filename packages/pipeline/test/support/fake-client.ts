/** Destinations without connections: each request is kept until the test answers it, or answered by a script. */
import {
  DestinationError,
  HeaderList,
  type DestinationCall,
  type DestinationClient,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
  type HttpClient,
} from "@proxy/http";

export class FakeCall implements DestinationCall {
  readonly origin: DestinationOrigin;
  readonly request: DestinationRequest;
  readonly #handler: DestinationHandler;
  aborted: Error | undefined;

  constructor(origin: DestinationOrigin, request: DestinationRequest, handler: DestinationHandler) {
    this.origin = origin;
    this.request = request;
    this.#handler = handler;
  }

  respond(
    status = 200,
    headers: readonly (readonly [string, string])[] = [],
    body = "",
    trailers?: readonly (readonly [string, string])[],
  ): void {
    this.#handler.onResponse({ status, headers: HeaderList.from(headers) });
    if (body !== "") this.#handler.onData(Buffer.from(body));
    this.#handler.onEnd(trailers === undefined || trailers.length === 0 ? undefined : HeaderList.from(trailers));
  }

  fail(step: DestinationError["step"] = "connect"): void {
    this.#handler.onError(new DestinationError("refused", { step, requestSent: step !== "connect" }));
  }

  /** The head comes, and nothing after it. */
  begin(status = 200, headers: readonly (readonly [string, string])[] = [], body = "begun"): void {
    this.#handler.onResponse({ status, headers: HeaderList.from(headers) });
    if (body !== "") this.#handler.onData(Buffer.from(body));
  }

  /** More of a body. */
  more(body: string): void {
    this.#handler.onData(Buffer.from(body));
  }

  /** The end of what `begin` began. */
  finish(): void {
    this.#handler.onEnd(undefined);
  }

  breakOff(): void {
    this.#handler.onError(new DestinationError("reset", { step: "response-body", requestSent: true }));
  }

  pause(): void {}
  resume(): void {}

  abort(cause: Error): void {
    this.aborted = cause;
  }
}

export class FakeHttpClient implements HttpClient {
  readonly calls: FakeCall[] = [];
  closed = 0;
  /** Answers each request at once; left undefined, the test does. */
  script: ((call: FakeCall) => void) | undefined;

  constructor(script?: (call: FakeCall) => void) {
    this.script = script;
  }

  get last(): FakeCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("nothing was sent");
    return call;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    return {
      send: (request, handler) => {
        if (this.closed > 0) throw new Error("the client is closed");
        const call = new FakeCall(origin, request, handler);
        this.calls.push(call);
        if (this.script !== undefined) queueMicrotask(() => this.script?.(call));
        return call;
      },
      close: () => this.close(),
      destroy: () => {},
    };
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  destroy(): void {}
}
