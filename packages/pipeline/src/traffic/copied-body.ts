import type { BodySink, BodySource, HeaderList } from "@proxy/http";
import { BoundedCopy } from "./bounded-copy.ts";

/** A request body on its way, of which a copy is kept up to a bound. Nobody who reads it is held back by that. */
export class CopiedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #whole: (bytes: Uint8Array | undefined) => void;
  #copy: BoundedCopy | undefined;
  #sink: BodySink | undefined;

  /** `whole` is told the copy when the body is complete, or undefined when it is larger than `maximum` bytes. Must not throw. */
  constructor(source: BodySource, maximum: number, whole: (bytes: Uint8Array | undefined) => void) {
    this.#source = source;
    this.#whole = whole;
    this.#copy = new BoundedCopy(maximum, source.length);
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get started(): boolean {
    return this.#source.started;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    this.#source.read(this);
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#copy = undefined;
    this.#source.cancel();
  }

  onData(chunk: Uint8Array): boolean | void {
    if (this.#copy?.hasRoom(chunk.length) === true) this.#copy.add(chunk);
    else this.#copy = undefined;
    return this.#sink?.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    const copy = this.#copy;
    this.#copy = undefined;
    this.#sink?.onEnd(trailers);
    this.#whole(copy?.bytes);
  }

  onError(error: Error): void {
    this.#copy = undefined;
    this.#sink?.onError(error);
  }
}
