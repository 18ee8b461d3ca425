import { Readable } from "node:stream";
import type { BodySink, BodySource } from "@proxy/http";

/** What a body stream tells its call. */
export interface BodyStreamOwner {
  onBodyBroken(error: Error): void;
}

const highWaterMark = 65_536;

/** A request body as the stream that undici takes. */
export class BodyStream extends Readable implements BodySink {
  readonly #source: BodySource;
  readonly #owner: BodyStreamOwner;
  #started = false;
  #held = false;
  #over = false;

  constructor(source: BodySource, owner: BodyStreamOwner) {
    super({ highWaterMark });
    this.#source = source;
    this.#owner = owner;
    // undici stops to listen once the request is over; what comes later has its sink here.
    this.on("error", () => {});
  }

  /** Whether all of the body was taken from its source, or will never be. */
  get over(): boolean {
    return this.#over;
  }

  override _read(): void {
    if (!this.#started) {
      this.#started = true;
      this.#source.read(this);
    } else if (this.#held) {
      this.#held = false;
      this.#source.resume();
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // One that was not read yet may still go elsewhere: its call decides.
    if (this.#started) this.cancel();
    callback(error);
  }

  /** The body is no longer wanted. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#source.cancel();
  }

  onData(chunk: Uint8Array): void {
    if (this.#over) return;
    if (!this.push(chunk) && !this.#held) {
      this.#held = true;
      this.#source.pause();
    }
  }

  onEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.push(null);
  }

  onError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#owner.onBodyBroken(error);
    this.destroy(error);
  }
}
