import type { BodySink, BodySource } from "./body.ts";
import { ExchangeStateError } from "./errors.ts";

/**
 * A body whose bytes are all there; a text goes as UTF-8. For `options.body` of `forward` and its kin where something has read the client's
 * body, a parser for example. Read once, like every source.
 */
export function bytesBody(bytes: Uint8Array | string): BodySource {
  return new BytesBody(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
}

class BytesBody implements BodySource {
  readonly #bytes: Uint8Array;
  #sink: BodySink | undefined;
  #isPaused = false;
  started = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  read(sink: BodySink): void {
    if (this.started) throw new ExchangeStateError("the request body was read already");
    this.started = true;
    this.#sink = sink;
    if (this.#bytes.length > 0) sink.onData(this.#bytes);
    this.#end();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#end();
  }

  cancel(): void {
    this.started = true;
    this.#sink = undefined;
  }

  #end(): void {
    const sink = this.#sink;
    if (this.#isPaused || sink === undefined) return;
    this.#sink = undefined;
    sink.onEnd(undefined);
  }
}
