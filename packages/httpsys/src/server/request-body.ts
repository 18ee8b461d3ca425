import { BoundedBody, bodyTooLarge, ClientGoneError } from "@proxy/http";
import { HttpSysError } from "../errors.ts";
import { EntityReader } from "./entity-reader.ts";
import type { RequestHandle } from "./request-call.ts";

/** The body of a request. What nobody reads HTTP.sys drops. */
export class HttpSysRequestBody extends BoundedBody {
  readonly #reader: EntityReader;
  /** False: nothing of it is to be had from HTTP.sys, it is empty. */
  readonly #hasBytes: boolean;
  readonly #lost: (cause: Error) => void;

  constructor(
    handle: RequestHandle,
    options: { readonly length: number | undefined; readonly hasBytes: boolean; readonly maximum: number | undefined; lost(cause: Error): void },
  ) {
    super(options.length, options.maximum);
    this.#reader = new EntityReader(handle);
    this.#hasBytes = options.hasBytes;
    this.#lost = options.lost;
  }

  protected override begin(): void {
    if (!this.#hasBytes) {
      queueMicrotask(() => this.end(undefined));
      return;
    }
    this.#reader.read({
      bytes: (chunk) => this.#bytes(chunk),
      end: () => this.end(undefined),
      failed: (code) => {
        const cause = new ClientGoneError("the client left, or broke the framing, before the end of the request body", {
          cause: new HttpSysError("HttpReceiveRequestEntityBody", code),
        });
        this.#lost(cause);
        this.fail(cause);
      },
    });
  }

  protected override hold(): void {
    this.#reader.pause();
  }

  protected override go(): void {
    this.#reader.resume();
  }

  protected override release(): void {
    this.#reader.stop();
  }

  #bytes(chunk: Uint8Array): boolean | void {
    if (!this.exceeds(chunk.length)) return this.sink?.onData(chunk);
    this.fail(bodyTooLarge());
    return true;
  }
}
