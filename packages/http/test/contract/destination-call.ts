import type {
  BodySource, DestinationCall, DestinationClient, DestinationError, DestinationHandler, DestinationRequest, HeaderList as Headers, HttpVersion,
  ResponseHead, Tunnel, VersionPolicy,
} from "../../src/index.ts";
import { HeaderList } from "../../src/index.ts";
import { signal } from "./recorders.ts";

export interface CallResult {
  readonly status: number;
  readonly head: ResponseHead;
  readonly body: string;
  readonly trailers: Headers | undefined;
}

/** Records what a client tells about one request, and fails on calls out of order. */
export class RecordedCall implements DestinationHandler {
  readonly informational: [status: number, headers: Headers][] = [];
  readonly chunks: Buffer[] = [];
  head: ResponseHead | undefined;
  trailers: Headers | undefined;
  error: DestinationError | undefined;
  progress = 0;
  size = 0;
  /** Calls of onEnd, onUpgrade and onError together: one at most. */
  finals = 0;
  readonly problems: string[] = [];
  call!: DestinationCall;
  readonly #ended = signal<CallResult>();
  readonly #responded = signal<ResponseHead>();
  readonly #data = signal();
  readonly #upgraded = signal<{ readonly head: ResponseHead; readonly tunnel: Tunnel }>();
  readonly #failed = signal<DestinationError>();

  /** Resolves at onEnd, rejects at onError. */
  get result(): Promise<CallResult> {
    return this.#ended.promise;
  }
  /** Resolves at onError, rejects at onEnd. */
  get failure(): Promise<DestinationError> {
    return this.#failed.promise;
  }
  get responded(): Promise<ResponseHead> {
    return this.#responded.promise;
  }
  get firstData(): Promise<void> {
    return this.#data.promise;
  }
  get upgraded(): Promise<{ readonly head: ResponseHead; readonly tunnel: Tunnel }> {
    return this.#upgraded.promise;
  }
  get body(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  onInformational(status: number, headers: Headers): void {
    this.#live("onInformational");
    if (this.head !== undefined) this.problems.push("informational after the final head");
    this.informational.push([status, headers]);
  }

  onResponse(head: ResponseHead): void {
    this.#live("onResponse");
    if (this.head !== undefined) this.problems.push("a second head");
    this.head = head;
    this.#responded.resolve(head);
  }

  onData(chunk: Uint8Array): boolean {
    this.#live("onData");
    if (this.head === undefined) this.problems.push("data before the head");
    if (chunk.length === 0) this.problems.push("empty chunk");
    this.chunks.push(Buffer.from(chunk));
    this.size += chunk.length;
    this.#data.resolve();
    return true;
  }

  onEnd(trailers: Headers | undefined): void {
    this.#final("onEnd");
    if (this.head === undefined) this.problems.push("end before the head");
    this.trailers = trailers;
    this.#ended.resolve({ status: this.head?.status ?? 0, head: this.head as ResponseHead, body: this.body, trailers });
    this.#failed.reject(new Error("ended well"));
    this.#upgraded.reject(new Error("ended without an upgrade"));
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    this.#final("onUpgrade");
    this.#upgraded.resolve({ head, tunnel });
    this.#ended.reject(new Error("upgraded"));
    this.#failed.reject(new Error("upgraded"));
  }

  onError(error: DestinationError): void {
    this.#final("onError");
    this.error = error;
    this.#failed.resolve(error);
    this.#ended.reject(error);
    this.#responded.reject(error);
    this.#data.reject(error);
    this.#upgraded.reject(error);
  }

  onProgress(): void {
    this.progress++;
  }

  #live(what: string): void {
    if (this.finals > 0) this.problems.push(`${what} after the final call`);
  }

  #final(what: string): void {
    this.#live(what);
    this.finals++;
  }
}

export interface SendOptions {
  readonly method?: string | undefined;
  readonly target?: string | undefined;
  readonly headers?: readonly (readonly [string, string])[] | undefined;
  readonly body?: BodySource | undefined;
  readonly upgrade?: string | undefined;
  readonly expectContinue?: boolean | undefined;
  readonly httpVersion?: HttpVersion | undefined;
  readonly versionPolicy?: VersionPolicy | undefined;
  readonly singleUse?: boolean | undefined;
}

/** Sends a request for `a.test` and records the outcome. */
export function sendTo(client: DestinationClient, options: SendOptions = {}): RecordedCall {
  const recorded = new RecordedCall();
  const request: DestinationRequest = {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    target: options.target ?? "/",
    headers: HeaderList.from(options.headers ?? [["Host", "a.test"]]),
    body: options.body,
    upgrade: options.upgrade,
    expectContinue: options.expectContinue,
    httpVersion: options.httpVersion,
    versionPolicy: options.versionPolicy,
    singleUse: options.singleUse,
  };
  recorded.call = client.send(request, recorded);
  return recorded;
}
