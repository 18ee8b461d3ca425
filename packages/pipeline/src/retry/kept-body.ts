/**
 * A request body that can be sent again. It is read from the client once, as the attempts take it:
 *
 * 1. each attempt reads a view; only the newest hears anything
 * 2. what comes is copied, up to `maximum` bytes, and handed on; beyond them the copy is dropped and the body cannot be repeated
 * 3. `hold` ends a view and holds the client back until the next view is read, which gets the copy first
 * 4. `settle`: no further attempt comes; the copy is dropped, and giving the body up reaches the client's side
 * 5. `close`: what nobody read is given up
 */
import type { BodySink, BodySource, HeaderList } from "@proxy/http";
import { BoundedCopy } from "../traffic/bounded-copy.ts";

export class KeptBody implements BodySink {
  readonly #source: BodySource;
  /** Undefined once there is more than may be kept, or no need any more. */
  #kept: BoundedCopy | undefined;
  #isBegun = false;
  #isSettled = false;
  #isWhole = false;
  #trailers: HeaderList | undefined;
  #error: Error | undefined;
  #view: View | undefined;

  constructor(source: BodySource, maximum: number) {
    this.#source = source;
    this.#kept = new BoundedCopy(maximum, source.length);
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  /** Whether another attempt would get the whole body. */
  get isRepeatable(): boolean {
    return this.#kept !== undefined && this.#error === undefined && (this.#isBegun || !this.#source.started);
  }

  /** The body for the next attempt. */
  view(): BodySource {
    this.hold();
    return (this.#view = new View(this, this.#isBegun ? undefined : this.#source));
  }

  /** The attempt under way is over: it hears nothing more. */
  hold(): void {
    this.#view?.detach();
    this.#view = undefined;
    if (this.#isBegun && !this.#isOver) this.#source.pause();
  }

  /** No further attempt comes. */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#kept = undefined;
    if (this.#view === undefined) this.#giveUp();
  }

  /** All attempts are over: what is left of the body is not wanted. */
  close(): void {
    this.settle();
    this.#giveUp();
  }

  get #isOver(): boolean {
    return this.#isWhole || this.#error !== undefined;
  }

  // What the views ask for

  /** @internal */
  read(view: View): void {
    if (!this.#isBegun) {
      this.#isBegun = true;
      this.#source.read(this);
      return;
    }
    const bytes = this.#kept?.bytes;
    if (bytes !== undefined && bytes.length > 0) view.onData(bytes);
    if (!view.isPaused) this.resume(view);
  }

  /** @internal */
  pause(view: View): void {
    if (view === this.#view && !this.#isOver) this.#source.pause();
  }

  /** @internal */
  resume(view: View): void {
    if (view !== this.#view) return;
    if (this.#error !== undefined) view.onError(this.#error);
    else if (this.#isWhole) view.onEnd(this.#trailers);
    else this.#source.resume();
  }

  /** @internal */
  cancel(view: View): void {
    if (view !== this.#view) return;
    this.hold();
    if (this.#isSettled) this.#giveUp();
  }

  #giveUp(): void {
    if (this.#isBegun && !this.#isOver) this.#source.cancel();
  }

  // What the client sends

  onData(chunk: Uint8Array): boolean | void {
    this.#keep(chunk);
    // A copy is held, not the chunk: it is free when the view says so, or when there is none.
    return this.#view === undefined ? true : this.#view.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#isWhole = true;
    this.#trailers = trailers;
    this.#view?.onEnd(trailers);
  }

  onError(error: Error): void {
    this.#error = error;
    this.#view?.onError(error);
  }

  #keep(chunk: Uint8Array): void {
    // Without a view, the next one is promised all of it: no more than the chunk in hand can come.
    if (this.#kept?.hasRoom(chunk.length) === true || this.#view === undefined) this.#kept?.add(chunk);
    else this.#kept = undefined;
  }
}

class View implements BodySource {
  readonly #body: KeptBody;
  /** Not yet begun by an earlier view: it may have been begun by somebody else. */
  readonly #fresh: BodySource | undefined;
  #sink: BodySink | undefined;
  #isStarted = false;
  #isOver = false;
  isPaused = false;

  constructor(body: KeptBody, fresh: BodySource | undefined) {
    this.#body = body;
    this.#fresh = fresh;
  }

  get length(): number | undefined {
    return this.#body.length;
  }

  get started(): boolean {
    return this.#isStarted || this.#fresh?.started === true;
  }

  read(sink: BodySink): void {
    if (this.#isStarted) throw new Error("the request body was read already");
    this.#isStarted = true;
    this.#sink = sink;
    this.#body.read(this);
  }

  pause(): void {
    if (this.#isOver) return;
    this.isPaused = true;
    this.#body.pause(this);
  }

  resume(): void {
    if (this.#isOver) return;
    this.isPaused = false;
    if (this.#sink !== undefined) this.#body.resume(this);
  }

  cancel(): void {
    this.#isStarted = true;
    this.#body.cancel(this);
    this.detach();
  }

  detach(): void {
    this.#isOver = true;
    this.#sink = undefined;
  }

  onData(chunk: Uint8Array): boolean | void {
    return this.#sink === undefined ? true : this.#sink.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    const sink = this.#sink;
    this.detach();
    sink?.onEnd(trailers);
  }

  onError(error: Error): void {
    const sink = this.#sink;
    this.detach();
    sink?.onError(error);
  }
}
