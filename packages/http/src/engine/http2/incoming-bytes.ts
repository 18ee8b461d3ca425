import type { BodySink } from "../../body.ts";
import type { HeaderList } from "../../header-list.ts";
import { deliverCopy } from "../chunk-memory.ts";
import { InputBuffer } from "../server/input-buffer.ts";

/** Chunks up to this are copied: a part of what was read keeps all of that alive. */
const maximumCopied = 4096;

/**
 * The bytes that come on one stream, on their way to their reader. What is not wanted yet is held, in one piece: flow control
 * bounds it, since `onUsed` alone lets the client send more.
 */
export class IncomingBytes {
  /** Bytes that came. */
  received = 0;
  readonly #onUsed: (count: number) => void;
  readonly #onDropped: (count: number) => void;
  #sink: BodySink | undefined = undefined;
  #paused = false;
  #held: InputBuffer | undefined = undefined;
  #ended = false;
  #trailers: HeaderList | undefined = undefined;
  #over = false;

  /** `onUsed`: bytes go to the reader; `onDropped`: bytes came that nobody will read. */
  constructor(onUsed: (count: number) => void, onDropped: (count: number) => void) {
    this.#onUsed = onUsed;
    this.#onDropped = onDropped;
  }

  /** The end, or an error, was told, or nobody wants to hear of it. */
  get over(): boolean {
    return this.#over;
  }

  /** Somebody reads. */
  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  /** Read, and not held back by the reader: the client is the one to wait for. */
  get awaitsClient(): boolean {
    return this.#sink !== undefined && !this.#paused && !this.#ended;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    this.#pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#pump();
  }

  /** `bytes[from..to)` came. Not `lasting`: they are overwritten when this returns. */
  take(bytes: Buffer, from: number, to: number, lasting: boolean): void {
    this.received += to - from;
    if (this.#over) {
      this.#onDropped(to - from);
      return;
    }
    const sink = this.#sink;
    const held = this.#held;
    if (sink === undefined || this.#paused || (held !== undefined && held.length > 0)) {
      (this.#held ??= new InputBuffer()).append(Buffer.from(bytes.subarray(from, to)));
      return;
    }
    this.#onUsed(to - from);
    // It may have been found too much.
    if (this.#over) return;
    if (!lasting) deliverCopy(sink, bytes, from, to);
    else sink.onData(to - from <= maximumCopied ? Buffer.from(bytes.subarray(from, to)) : bytes.subarray(from, to));
  }

  /** All came. */
  finish(trailers: HeaderList | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#pump();
  }

  /** It broke off. */
  fail(error: Error): void {
    const sink = this.#sink;
    this.drop();
    sink?.onError(error);
  }

  /** Nobody wants the rest. */
  drop(): void {
    const held = this.#held;
    this.#over = true;
    this.#sink = undefined;
    this.#held = undefined;
    if (held !== undefined) this.#onDropped(held.length);
  }

  #pump(): void {
    const sink = this.#sink;
    const held = this.#held;
    if (sink === undefined || this.#paused || this.#over) return;
    if (held !== undefined && held.length > 0) {
      const chunk = held.bytes.subarray(held.start, held.end);
      this.#held = undefined;
      this.#onUsed(chunk.length);
      if (this.#over) return;
      sink.onData(chunk);
      // The reader may have paused, or be done.
      this.#pump();
      return;
    }
    if (!this.#ended) return;
    this.#over = true;
    this.#sink = undefined;
    sink.onEnd(this.#trailers);
  }
}
