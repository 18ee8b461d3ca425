/**
 * Memory that chunks are delivered in, where the memory they came in does not last. What a reader is done with at once serves
 * the next chunk.
 */
import type { BodySink } from "../body.ts";
import { readBuffers } from "./read-buffers.ts";

/** Copies up to this size come out of Node's pool. */
const pooledSize = 4096;
/** What one read gives at most. */
const copySize = readBuffers.shared.length;
const maximumSpare = 32;
const spare: Buffer[] = [];

/** Memory of `copySize` bytes, to be given back by `reuse` when its reader is done with it. */
function takeSpare(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(copySize);
}

function reuse(memory: Buffer): void {
  if (spare.length < maximumSpare) spare.push(memory);
}

/** Most readers are done with a chunk at once: then the memory of a large copy serves the next one too. */
export function deliverCopy(sink: BodySink, bytes: Buffer, from: number, to: number): void {
  const size = to - from;
  if (size <= pooledSize || size > copySize) {
    sink.onData(Buffer.from(bytes.subarray(from, to)));
    return;
  }
  const memory = takeSpare();
  bytes.copy(memory, 0, from, to);
  if (sink.onData(memory.subarray(0, size)) === true) reuse(memory);
}

/** Joins pieces of one buffer; a single piece is not copied unless its memory does not last. */
export class GatheredChunks {
  readonly #lasting: boolean;
  #bytes: Buffer | undefined = undefined;
  #length = 0;
  #copied = false;
  #spare: Buffer | undefined = undefined;

  constructor(lasting: boolean) {
    this.#lasting = lasting;
  }

  /** `room` is the most that this piece and all after it can hold. */
  add(bytes: Buffer, from: number, to: number, room: number): void {
    if (this.#bytes === undefined && this.#lasting) {
      this.#bytes = bytes.subarray(from, to);
      this.#length = to - from;
      return;
    }
    if (!this.#copied) {
      const size = this.#length + room;
      const joined = size > pooledSize && size <= copySize ? (this.#spare = takeSpare()) : Buffer.allocUnsafe(size);
      this.#bytes?.copy(joined);
      this.#bytes = joined;
      this.#copied = true;
    }
    bytes.copy(this.#bytes as Buffer, this.#length, from, to);
    this.#length += to - from;
  }

  take(): Buffer | undefined {
    return this.#bytes?.subarray(0, this.#length);
  }

  /** Nobody holds what `take` gave any more: its memory serves the next one. */
  giveBack(): void {
    if (this.#spare !== undefined) reuse(this.#spare);
    this.#spare = undefined;
  }
}
