/** A buffer that HTTP.sys filled: every pointer is followed only when it and all that it points to lie within the buffer. */

/** The image is not what HTTP.sys writes. */
export class RequestImageError extends Error {
  override readonly name = "RequestImageError";
  readonly code = "HTTPSYS_REQUEST_IMAGE";
}

/** What native code knows at `base`. Its methods throw `RequestImageError`. */
export class RequestImage {
  readonly buffer: Buffer;
  readonly length: number;
  readonly #base: bigint;

  constructor(buffer: Buffer, base: bigint, length: number) {
    this.buffer = buffer;
    this.#base = base;
    this.length = Math.min(length, buffer.length);
  }

  /** Where the pointer at `at` leads, or -1 for NULL: `size` bytes from there are within the image. */
  follow(at: number, size: number): number {
    const pointer = this.buffer.readBigUInt64LE(at);
    if (pointer === 0n) return -1;
    const offset = pointer - this.#base;
    if (offset < 0n || offset + BigInt(size) > BigInt(this.length)) throw new RequestImageError("a pointer leads out of the image");
    return Number(offset);
  }

  /** latin1 text of `size` bytes behind the pointer at `at`. */
  text(at: number, size: number): string {
    if (size === 0) return "";
    const from = this.follow(at, size);
    if (from < 0) throw new RequestImageError("a text has a length and no place");
    return this.buffer.toString("latin1", from, from + size);
  }

  /** UTF-16 text of `size` bytes. */
  wide(at: number, size: number): string {
    if (size === 0) return "";
    const from = this.follow(at, size);
    if (from < 0 || size % 2 !== 0) throw new RequestImageError("a wide text has no place, or half a character");
    return this.buffer.toString("utf16le", from, from + size);
  }
}
