import { BadRequestError, type BodySink, type BodySource, type HeaderList } from "@proxy/http";
import { BodyContentError } from "./body-transform.ts";
import { ChangedBody, type ChangedBodyOptions, type ChangedBodyOwner } from "./changed-body.ts";
import { changeTrailers } from "./changed-head.ts";

/** A body transform failed by itself: the gateway is to blame. */
export class BodyTransformError extends Error {
  override readonly name = "BodyTransformError";
}

/** The request body on its way through transforms. Its length is known when it is over. */
export class ChangedRequestBody implements BodySource, BodySink, ChangedBodyOwner {
  readonly length = undefined;
  readonly #source: BodySource;
  readonly #changed: ChangedBody;
  readonly #touch: () => void;
  #sink: BodySink | undefined;
  #trailers: HeaderList | undefined;
  #over = false;

  /** `touch` is told of each chunk that comes: transforms may hold it for long. */
  constructor(source: BodySource, options: ChangedBodyOptions, touch: () => void) {
    this.#source = source;
    this.#touch = touch;
    this.#changed = new ChangedBody(options, this);
  }

  get started(): boolean {
    return this.#source.started;
  }

  read(sink: BodySink): void {
    this.#sink = sink;
    this.#source.read(this);
  }

  pause(): void {
    this.#changed.pause();
  }

  resume(): void {
    this.#changed.resume();
  }

  cancel(): void {
    this.#over = true;
    this.#changed.destroy();
    this.#source.cancel();
  }

  onData(chunk: Uint8Array): void {
    this.#touch();
    if (!this.#changed.write(chunk)) this.#source.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#trailers = changeTrailers(trailers);
    this.#changed.end();
  }

  onError(error: Error): void {
    this.#changed.destroy();
    this.#fail(error);
  }

  onChangedRoom(): void {
    this.#source.resume();
  }

  onChangedData(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#sink?.onData(chunk);
  }

  onChangedEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.onEnd(this.#trailers);
  }

  onChangedError(error: Error): void {
    const told =
      error instanceof BodyContentError
        ? new BadRequestError(error.status, "BODY_CONTENT", error.message, { cause: error })
        : new BodyTransformError(`a body transform failed: ${error.message}`, { cause: error });
    this.#fail(told);
    this.#source.cancel();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.onError(error);
  }
}
