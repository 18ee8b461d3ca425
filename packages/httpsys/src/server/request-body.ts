import { BadRequestError, ClientGoneError, ExchangeStateError, type BodyLimitFeature, type BodySink, type BodySource } from "@proxy/http";
import { HttpSysError } from "../errors.ts";
import { EntityReader } from "./entity-reader.ts";
import type { RequestHandle } from "./request-call.ts";

/** The body of a request, bounded in size. What nobody reads HTTP.sys drops. */
export class HttpSysRequestBody implements BodySource, BodyLimitFeature {
  readonly length: number | undefined;
  readonly #reader: EntityReader;
  /** False: nothing of it is to be had from HTTP.sys, it is empty. */
  readonly #hasBytes: boolean;
  readonly #lost: (cause: Error) => void;
  #maximum: number | undefined;
  #chosen = false;
  #started = false;
  #received = 0;
  #sink: BodySink | undefined;
  #error: Error | undefined;
  #over = false;
  #complete: boolean;

  constructor(
    handle: RequestHandle,
    options: { readonly length: number | undefined; readonly hasBytes: boolean; readonly maximum: number | undefined; lost(cause: Error): void },
  ) {
    this.length = options.length;
    this.#reader = new EntityReader(handle);
    this.#hasBytes = options.hasBytes;
    this.#complete = !options.hasBytes;
    this.#maximum = options.maximum;
    this.#lost = options.lost;
  }

  get started(): boolean {
    return this.#started;
  }
  get maximum(): number | undefined {
    return this.#maximum;
  }
  get readOnly(): boolean {
    return this.#started;
  }
  get chosen(): boolean {
    return this.#chosen;
  }
  /** It went beyond a limit or broke off. */
  get failed(): boolean {
    return this.#error !== undefined;
  }
  /** All of it came. */
  get complete(): boolean {
    return this.#complete;
  }

  set(maximum: number | undefined): void {
    if (this.#started) throw new ExchangeStateError("the body is being read: its limit can no longer change");
    this.#maximum = maximum;
    this.#chosen = true;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("a body is read once");
    this.#started = true;
    if (this.#error !== undefined) {
      sink.onError(this.#error);
      return;
    }
    this.#sink = sink;
    if (this.#maximum !== undefined && (this.length ?? 0) > this.#maximum) {
      this.fail(tooLarge());
      return;
    }
    if (!this.#hasBytes) {
      queueMicrotask(() => this.#end());
      return;
    }
    this.#reader.read({
      bytes: (chunk) => this.#bytes(chunk),
      end: () => this.#end(),
      failed: (code) => {
        const cause = new ClientGoneError("the client left, or broke the framing, before the end of the request body", {
          cause: new HttpSysError("HttpReceiveRequestEntityBody", code),
        });
        this.#lost(cause);
        this.fail(cause);
      },
    });
  }

  pause(): void {
    if (!this.#over) this.#reader.pause();
  }

  resume(): void {
    if (!this.#over) this.#reader.resume();
  }

  cancel(): void {
    this.#started = true;
    this.#stop();
  }

  /** Ends it with an error, told to the reader of now or of later. */
  fail(error: Error): void {
    if (this.#over) return;
    const sink = this.#sink;
    this.#error ??= error;
    this.#stop();
    sink?.onError(error);
  }

  #bytes(chunk: Uint8Array): boolean | void {
    this.#received += chunk.length;
    if (this.#maximum !== undefined && this.#received > this.#maximum) {
      this.fail(tooLarge());
      return true;
    }
    return this.#sink?.onData(chunk);
  }

  #end(): void {
    const sink = this.#sink;
    if (this.#over || sink === undefined) return;
    this.#complete = true;
    this.#stop();
    sink.onEnd(undefined);
  }

  #stop(): void {
    this.#over = true;
    this.#sink = undefined;
    this.#reader.stop();
  }
}

function tooLarge(): BadRequestError {
  return new BadRequestError(413, "BODY_TOO_LARGE", "the body of the request is too large");
}
