import {
  type BodySink,
  type DestinationCall,
  type DestinationClient,
  DestinationError,
  type DestinationErrorOptions,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
  HeaderList,
  type HttpClient,
} from "@proxy/http";

type Lines = readonly (readonly [name: string, value: string])[];

/** One request that reached the destination: a test plays the destination through it. */
export class ScriptedCall implements DestinationCall, BodySink {
  readonly origin: DestinationOrigin;
  readonly request: DestinationRequest;
  readonly handler: DestinationHandler;
  readonly received: Buffer[] = [];
  bodyEnded = false;
  bodyTrailers: HeaderList | undefined;
  bodyError: Error | undefined;
  paused = false;
  aborted: Error | undefined;

  constructor(origin: DestinationOrigin, request: DestinationRequest, handler: DestinationHandler) {
    this.origin = origin;
    this.request = request;
    this.handler = handler;
  }

  /** The request body that came so far. */
  get body(): string {
    return Buffer.concat(this.received).toString("latin1");
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  abort(cause: Error): void {
    this.aborted = cause;
    this.request.body?.cancel();
  }

  onData(chunk: Uint8Array): boolean {
    this.received.push(Buffer.from(chunk));
    return true;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.bodyEnded = true;
    this.bodyTrailers = trailers;
  }

  onError(error: Error): void {
    this.bodyError = error;
  }

  /** Starts to take the request body. */
  readBody(): void {
    this.request.body?.read(this);
  }

  respond(status: number, headers: Lines = [], reason?: string): void {
    this.handler.onResponse({ status, reason, headers: HeaderList.from(headers) });
  }

  /** All of a response in one call. */
  respondWhole(status: number, headers: Lines, body: string): void {
    this.handler.onWholeResponse?.({ status, headers: HeaderList.from(headers) }, body);
  }

  data(text: string): boolean | void {
    return this.handler.onData(Buffer.from(text, "latin1"));
  }

  end(trailers?: Lines): void {
    this.handler.onEnd(trailers === undefined ? undefined : HeaderList.from(trailers));
  }

  fail(message: string, options: Partial<DestinationErrorOptions> = {}): void {
    this.handler.onError(new DestinationError(message, { step: "request", requestSent: true, ...options }));
  }
}

/** Destinations that a test plays: nothing leaves the process. */
export class ScriptedClient implements HttpClient {
  readonly calls: ScriptedCall[] = [];
  readonly #script: ((call: ScriptedCall) => void) | undefined;

  /** `script` runs inside `send`, before the forwarder has its call. */
  constructor(script?: (call: ScriptedCall) => void) {
    this.#script = script;
  }

  /** The one call that was made. */
  get call(): ScriptedCall {
    const [call] = this.calls;
    if (call === undefined || this.calls.length > 1) throw new Error(`${this.calls.length} calls`);
    return call;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    return {
      send: (request, handler) => {
        const call = new ScriptedCall(origin, request, handler);
        this.calls.push(call);
        this.#script?.(call);
        return call;
      },
      close: () => Promise.resolve(),
      destroy: () => {},
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  destroy(): void {}
}
