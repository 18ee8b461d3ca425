import type { Http2Stream, StreamListener } from "./stream.ts";

/** How many streams that we reset are remembered: the peer may have sent more on them before it heard of it. */
const maximumRemembered = 512;
const maximumSkipped = 16;

/** What a stream identifier stands for when no stream is open by it (RFC 9113, 5.1 and 5.1.1). */
export type StreamFate = "idle" | "skipped" | "reset" | "closed";

/** The streams of one connection, all of which its client has opened. */
export class StreamTable<L extends StreamListener = StreamListener> {
  readonly open = new Map<number, Http2Stream<L>>();
  /** The highest identifier that the client has used. */
  last = 0;
  readonly #reset = new Set<number>();
  /** Identifiers below this one that were reset may be forgotten. */
  #remembersFrom = 0;
  /** Ranges of identifiers that were never used: from (inclusive) to (exclusive). */
  readonly #skipped: (readonly [from: number, to: number])[] = [];

  /** A new stream of the client: `id` is odd and above `last`. */
  use(id: number): void {
    if (id > this.last + 2 && this.#skipped.length < maximumSkipped) this.#skipped.push([this.last + 1, id]);
    this.last = id;
  }

  /** We reset stream `id`: what comes on it is ignored. */
  rememberReset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= maximumRemembered) return;
    const [first] = this.#reset;
    this.#reset.delete(first as number);
    this.#remembersFrom = Math.max(this.#remembersFrom, (first as number) + 1);
  }

  /** Of an identifier that is not in `open`. */
  fateOf(id: number): StreamFate {
    // The even ones would be pushes.
    if (id > this.last || id % 2 === 0) return "idle";
    if (this.#reset.has(id) || id < this.#remembersFrom) return "reset";
    return this.#skipped.some(([from, to]) => id >= from && id < to) ? "skipped" : "closed";
  }

  /** No stream has ever had this identifier. */
  isUnused(id: number): boolean {
    const fate = this.fateOf(id);
    return fate === "idle" || fate === "skipped";
  }
}
