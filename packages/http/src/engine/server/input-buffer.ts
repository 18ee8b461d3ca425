const nothing = Buffer.alloc(0);

/**
 * Bytes that came and were not used yet: `bytes[start..end)`. One chunk is held as it is; only when another comes
 * behind it are both copied into memory that doubles, so that small pieces cost no quadratic copying. Bytes that
 * were handed out are never overwritten.
 */
export class InputBuffer {
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  #owned = false;
  /** The bytes stand in memory that the next read overwrites. */
  #borrowed = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Whether parts of `bytes` may be kept by others: true but for borrowed memory. */
  get lasting(): boolean {
    return !this.#borrowed;
  }

  /** As `append` for the first `count` bytes of `memory`, which are overwritten after `settle`. */
  borrow(memory: Buffer, count: number): void {
    if (this.end > this.start) {
      this.append(memory.subarray(0, count));
      return;
    }
    this.bytes = memory;
    this.start = 0;
    this.end = count;
    this.#owned = false;
    this.#borrowed = true;
  }

  /** Copies what is left of borrowed bytes. */
  settle(): void {
    if (!this.#borrowed) return;
    this.#borrowed = false;
    if (this.end > this.start) this.append(Buffer.from(this.#takeAll()));
  }

  #takeAll(): Buffer {
    const rest = this.bytes.subarray(this.start, this.end);
    this.clear();
    return rest;
  }

  append(chunk: Buffer): void {
    const held = this.end - this.start;
    if (held === 0) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.end + chunk.length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, (held + chunk.length) * 2));
      this.bytes.copy(larger, 0, this.start, this.end);
      this.bytes = larger;
      this.start = 0;
      this.end = held;
      this.#owned = true;
    }
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
  }

  /** Marks all up to `place` as used, and lets the memory go when that is all. */
  use(place: number): void {
    this.start = place;
    if (place === this.end) this.clear();
  }

  clear(): void {
    this.bytes = nothing;
    this.start = 0;
    this.end = 0;
    this.#owned = false;
  }
}
