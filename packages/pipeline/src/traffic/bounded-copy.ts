const firstAllocation = 4096;

/** A copy of bytes as they come, in one piece of memory that grows up to a bound: many small chunks cost no more than few large ones. */
export class BoundedCopy {
  readonly #maximum: number;
  readonly #expected: number;
  #bytes: Buffer | undefined;
  #size = 0;

  /** `expected` is how many are to come, where that is known. */
  constructor(maximum: number, expected: number | undefined) {
    this.#maximum = maximum;
    this.#expected = expected ?? 0;
  }

  /** Whether `length` more bytes, and those that are expected, are within the bound. */
  hasRoom(length: number): boolean {
    return Math.max(this.#size + length, this.#expected) <= this.#maximum;
  }

  add(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (this.#bytes === undefined || this.#bytes.length < size) {
      const wanted = Math.max(this.#expected, this.#size * 2, firstAllocation);
      const grown = Buffer.allocUnsafeSlow(Math.max(size, Math.min(wanted, this.#maximum)));
      this.#bytes?.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /** What came so far. The memory is not written again. */
  get bytes(): Uint8Array {
    return this.#bytes?.subarray(0, this.#size) ?? nothing;
  }
}

const nothing = new Uint8Array(0);
