import type { Http2Stream } from "./stream.ts";

/** The streams of a connection that have something to send: each in turn sends one frame. Priorities are not looked at. */
export class SendTurns {
  readonly #queue: Http2Stream[] = [];

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  add(stream: Http2Stream): void {
    if (stream.queuedForTurn) return;
    stream.queuedForTurn = true;
    this.#queue.push(stream);
  }

  /** The next one, taken out; undefined when there is none. */
  next(): Http2Stream | undefined {
    const stream = this.#queue.shift();
    if (stream !== undefined) stream.queuedForTurn = false;
    return stream;
  }
}
