/**
 * HalfSipHash-2-4 with 64 bits out (Aumasson, Bernstein: SipHash, and its variant of 32-bit words), over the UTF-16 units of a text, the lower byte of each first. Keyed: who does not know
 * the key cannot find texts that collide, and so neither share somebody's count nor crowd one place of a table.
 */
import { randomBytes } from "node:crypto";

export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;
  /** Of the last text: two words of 32 bits, never both 0. */
  high = 0;
  low = 0;

  constructor(seed: Buffer = randomBytes(8)) {
    this.#k0 = seed.readInt32LE(0);
    this.#k1 = seed.readInt32LE(4);
  }

  /** Sets `high` and `low`. */
  update(text: string): void {
    let v0 = this.#k0;
    let v1 = this.#k1 ^ 0xee;
    let v2 = this.#k0 ^ 0x6c796765;
    let v3 = this.#k1 ^ 0x74656462;
    const { length } = text;
    const whole = length & ~1;
    let rounds = 0;
    let word = 0;
    // Words of two units, the last one with the length; then the finish for each half.
    for (let i = 0; i <= whole + 4; i += 2) {
      if (i < whole) {
        word = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
        rounds = 2;
      } else if (i === whole) {
        // The number of bytes, of which the last byte of the word holds the lowest eight bits.
        word = (length << 25) | (length > whole ? text.charCodeAt(whole) : 0);
        rounds = 2;
      } else {
        word = 0;
        rounds = 4;
        if (i === whole + 2) v2 ^= 0xee;
        else v1 ^= 0xdd;
      }
      v3 ^= word;
      for (; rounds > 0; rounds--) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
      if (i === whole + 2) this.high = (v1 ^ v3) >>> 0;
    }
    this.low = (v1 ^ v3) >>> 0 || 1;
  }
}
