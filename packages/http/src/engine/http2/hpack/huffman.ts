/**
 * The Huffman code of RFC 7541, Appendix B. It is canonical: symbols in the order of their lengths, then of their values,
 * have consecutive codes, so the lengths say all.
 */

/** Bits of the code of each octet, and last of EOS. */
const lengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const eos = 256;
const longest = 30;
/** The bits that one look-up sees: two of the common symbols. */
const window = 12;

/** Symbols in the order of their codes. */
const symbols = lengths.map((_length, symbol) => symbol).sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b);
/** For each length: its first code, and where its symbols begin in `symbols`. */
const firstCode = new Uint32Array(longest + 2);
const firstSymbol = new Uint16Array(longest + 2);
/** What `window` bits begin with: a symbol and 8 bits higher the length of its code, 0 when that is longer. */
const single = new Uint16Array(1 << window);
/** The same for up to two symbols: first, second, bits 16 to 20 the length of both together, bit 21 whether there are two. */
const double = new Uint32Array(1 << window);

for (let length = 1, code = 0, place = 0; length <= longest; length++) {
  firstCode[length] = code;
  firstSymbol[length] = place;
  for (; lengths[symbols[place] as number] === length; place++, code++) {
    if (length <= window) single.fill((symbols[place] as number) | (length << 8), code << (window - length), (code + 1) << (window - length));
  }
  code <<= 1;
  firstSymbol[length + 1] = place;
}
for (let bits = 0; bits < double.length; bits++) {
  const first = single[bits] as number;
  if (first === 0) continue;
  const used = first >> 8;
  const second = single[(bits << used) & (double.length - 1)] as number;
  const both = used + (second >> 8);
  double[bits] =
    second !== 0 && both <= window ? (first & 0xff) | ((second & 0xff) << 8) | (both << 16) | (1 << 21) : (first & 0xff) | (used << 16);
}

/** The most octets that `length` octets of Huffman code can stand for. */
export function huffmanBound(length: number): number {
  return Math.ceil((length * 8) / 5);
}

/**
 * Decodes `bytes[start..end)` into `target`, which has room for `huffmanBound(end - start)` octets. Returns their number,
 * or -1 for what is no such code: EOS, padding of more than 7 bits or of others than ones (RFC 7541, 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let count = 0;
  // Places in bits relative to `start`: a string is shorter than 2^28 octets.
  let bit = 0;
  const last = (end - start) * 8;
  const fast = last - 16;
  while (bit < fast) {
    const at = start + (bit >> 3);
    const three = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const found = double[(three >>> (window - (bit & 7))) & 0xfff] as number;
    if (found !== 0) {
      target[count++] = found;
      if (found > 0x1f_ffff) target[count++] = found >> 8;
      bit += (found >> 16) & 31;
      continue;
    }
    const long = longSymbol(bytes, start, end, bit);
    if (long < 0) return -1;
    target[count++] = long;
    bit += lengths[long] as number;
    if (bit > last) return -1;
  }
  while (bit < last) {
    const found = single[bitsAt(bytes, start, end, bit) >>> (32 - window)] as number;
    const symbol = found === 0 ? longSymbol(bytes, start, end, bit) : found & 0xff;
    const next = symbol < 0 ? last + 1 : bit + (lengths[symbol] as number);
    if (next > last) return isPadding(bytes, start, end, bit) ? count : -1;
    target[count++] = symbol;
    bit = next;
  }
  return count;
}

/** The 32 bits from `bit` on; behind the end stand ones. */
function bitsAt(bytes: Uint8Array, start: number, end: number, bit: number): number {
  const at = start + (bit >> 3);
  const shift = bit & 7;
  let bits = 0;
  for (let i = 0; i < 4; i++) bits = (bits << 8) | (at + i < end ? (bytes[at + i] as number) : 0xff);
  if (shift === 0) return bits >>> 0;
  const fifth = at + 4 < end ? (bytes[at + 4] as number) : 0xff;
  return ((bits << shift) | (fifth >> (8 - shift))) >>> 0;
}

/** The octet whose code of more than `window` bits stands at `bit`, or -1 for EOS. */
function longSymbol(bytes: Uint8Array, start: number, end: number, bit: number): number {
  const bits = bitsAt(bytes, start, end, bit);
  for (let length = window + 1; length <= longest; length++) {
    const place = (bits >>> (32 - length)) - (firstCode[length] as number) + (firstSymbol[length] as number);
    if (place < (firstSymbol[length + 1] as number)) {
      const symbol = symbols[place] as number;
      return symbol === eos ? -1 : symbol;
    }
  }
  return -1;
}

function isPadding(bytes: Uint8Array, start: number, end: number, bit: number): boolean {
  const left = (end - start) * 8 - bit;
  const ones = (1 << left) - 1;
  return left < 8 && ((bytes[end - 1] as number) & ones) === ones;
}
