import type { DestinationError, DestinationHandler, HeaderList } from "@proxy/http";

/** What came of a response while its head was with an asynchronous transform: the chunk in hand, and the end. */
export class PendingResponse {
  readonly data: Uint8Array[] = [];
  #ended = false;
  #trailers: HeaderList | undefined;
  #error: DestinationError | undefined;

  end(trailers: HeaderList | undefined): void {
    this.#ended = true;
    this.#trailers = trailers;
  }

  fail(error: DestinationError): void {
    this.#error = error;
  }

  /** Hands everything on, in order. */
  deliver(handler: Pick<DestinationHandler, "onData" | "onEnd" | "onError">): void {
    for (const chunk of this.data) handler.onData(chunk);
    if (this.#error !== undefined) handler.onError(this.#error);
    else if (this.#ended) handler.onEnd(this.#trailers);
  }
}
