/**
 * Follows the frames of one direction of a WebSocket (RFC 6455, 5.2) without touching them: reads the headers, skips what
 * they announce, holds nothing back. A chunk costs one step per header byte in it, whatever its size.
 */

const firstByte = 0;
const lengthByte = 1;
const extendedLength = 2;
const maskingKey = 3;
const payload = 4;

const closeOpcode = 0x8;
const longestControl = 125;

export class FrameFollower {
  /** Messages that came whole: data frames with FIN. */
  messages = 0;
  /** A Close came. */
  closed = false;
  /** What the first Close says; undefined when it says nothing. */
  closeCode: number | undefined = undefined;
  closeReason: string | undefined = undefined;
  /** The bytes are not frames: nothing is known any more. */
  lost = false;
  #stage = firstByte;
  #final = false;
  #opcode = 0;
  #masked = false;
  /** Bytes to come of the part that the stage reads. */
  #left = 0;
  #length = 0;
  #fragmented = false;
  /** Masking key and payload of the first Close. */
  #close: number[] | undefined = undefined;

  /** Between two messages: another frame may be put here. */
  get atRest(): boolean {
    return this.#stage === firstByte && !this.#fragmented && !this.lost;
  }

  /** Follows `chunk` from `from`; with `untilRest`, only to the next place between two messages. Returns where it got to. */
  follow(chunk: Uint8Array, from: number, untilRest: boolean): number {
    let at = from;
    while (at < chunk.length) {
      if (this.lost) return chunk.length;
      if (this.#stage === payload) {
        const taken = Math.min(this.#left, chunk.length - at);
        if (this.#close !== undefined && this.#opcode === closeOpcode) {
          for (let i = at; i < at + taken; i++) this.#close.push(chunk[i] as number);
        }
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#endFrame();
      } else {
        this.#header(chunk[at++] as number);
      }
      if (untilRest && this.atRest) return at;
    }
    return at;
  }

  #header(byte: number): void {
    switch (this.#stage) {
      case firstByte:
        this.#final = (byte & 0x80) !== 0;
        this.#opcode = byte & 0x0f;
        if (this.#isControl && !this.#final) this.lost = true;
        this.#stage = lengthByte;
        return;
      case lengthByte: {
        this.#masked = (byte & 0x80) !== 0;
        this.#length = byte & 0x7f;
        if (this.#length > longestControl) {
          if (this.#isControl) this.lost = true;
          this.#left = this.#length === 126 ? 2 : 8;
          this.#length = 0;
          this.#stage = extendedLength;
        } else this.#lengthKnown();
        return;
      }
      case extendedLength:
        this.#length = this.#length * 256 + byte;
        if (--this.#left > 0) return;
        if (this.#length > Number.MAX_SAFE_INTEGER) this.lost = true;
        this.#lengthKnown();
        return;
      default:
        this.#close?.push(byte);
        if (--this.#left === 0) this.#beginPayload();
    }
  }

  get #isControl(): boolean {
    return this.#opcode >= closeOpcode;
  }

  #lengthKnown(): void {
    if (this.#opcode === closeOpcode && !this.closed) this.#close = [];
    if (this.#masked) {
      this.#left = 4;
      this.#stage = maskingKey;
    } else this.#beginPayload();
  }

  #beginPayload(): void {
    this.#stage = payload;
    this.#left = this.#length;
    if (this.#left === 0) this.#endFrame();
  }

  #endFrame(): void {
    this.#stage = firstByte;
    if (this.#isControl) {
      if (this.#opcode === closeOpcode) this.#takeClose();
      return;
    }
    this.#fragmented = !this.#final;
    if (this.#final) this.messages++;
  }

  #takeClose(): void {
    this.closed = true;
    const bytes = this.#close;
    this.#close = undefined;
    if (bytes === undefined) return;
    const body = this.#masked ? unmasked(bytes) : Uint8Array.from(bytes);
    if (body.length < 2) return;
    this.closeCode = ((body[0] as number) << 8) | (body[1] as number);
    if (body.length > 2) this.closeReason = new TextDecoder().decode(body.subarray(2));
  }
}

/** The payload behind its masking key. */
function unmasked(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes.slice(4), (byte, index) => byte ^ (bytes[index % 4] as number));
}
