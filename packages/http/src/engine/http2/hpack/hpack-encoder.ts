/**
 * Fields to header blocks (RFC 7541, 3 and 6). Strings are not Huffman coded: that costs more of both sides' time than the
 * bytes are worth, since what repeats becomes an index.
 */
import { initialTableSize } from "./hpack-decoder.ts";
import { EncoderTable, entrySize, fingerprint } from "./encoder-table.ts";
import { indexing } from "./indexing-policy.ts";

export interface HpackEncoderOptions {
  /** Bytes of the dynamic table, whatever more the peer would allow. Default 4096. */
  readonly maxTableSize?: number | undefined;
}

const indexedField = 0x80;
const literalWithIndexing = 0x40;
const tableSizeUpdate = 0x20;
const literalNeverIndexed = 0x10;
const literalWithoutIndexing = 0x00;

/** Octets that an integer takes at the most: 32 bits behind a prefix. */
const longestInteger = 6;
/** From this length on a string is copied faster by the system than character by character. */
const shortString = 10;

/** One encoder serves one direction of one connection. */
export class HpackEncoder {
  readonly #own: number;
  readonly #table: EncoderTable;
  /** The size to announce with the next block, and the smallest since the last one; -1: nothing to announce. */
  #pendingSize = -1;
  #smallest = Infinity;

  constructor(options: HpackEncoderOptions = {}) {
    this.#own = options.maxTableSize ?? initialTableSize;
    this.#table = new EncoderTable(initialTableSize);
    if (this.#own < initialTableSize) this.setMaxTableSize(initialTableSize);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. What that changes is said at the beginning of the next block (RFC 7541, 4.2). */
  setMaxTableSize(size: number): void {
    const wanted = Math.min(size, this.#own);
    const current = this.#pendingSize < 0 ? this.#table.maximum : this.#pendingSize;
    if (wanted === current) return;
    this.#pendingSize = wanted;
    this.#smallest = Math.min(this.#smallest, wanted);
  }

  /** Must stand before the fields of each block. Gives the new offset, or -1, and nothing has changed, when there is no room. */
  beginBlock(target: Buffer, offset: number): number {
    if (this.#pendingSize < 0) return offset;
    if (offset + 2 * longestInteger > target.length) return -1;
    const table = this.#table;
    let at = offset;
    if (this.#smallest < this.#pendingSize && this.#smallest < table.maximum) {
      table.resize(this.#smallest);
      at = writeInteger(target, at, tableSizeUpdate, 0x1f, this.#smallest);
    }
    if (this.#pendingSize !== table.maximum) {
      table.resize(this.#pendingSize);
      at = writeInteger(target, at, tableSizeUpdate, 0x1f, this.#pendingSize);
    }
    this.#pendingSize = -1;
    this.#smallest = Infinity;
    return at;
  }

  /** Writes `:status`, which stands before all other fields. `status` is a number from 100 to 999. Gives what `writeField` gives. */
  writeStatus(status: number, target: Buffer, offset: number): number {
    const index = staticStatus(status);
    if (index === 0) return this.writeField(":status", String(status), target, offset);
    if (offset >= target.length) return -1;
    target[offset] = indexedField | index;
    return offset + 1;
  }

  /**
   * Writes one field at `offset` and gives the new offset, or -1, and nothing has changed, when it does not fit. `name` is
   * lower case; both are latin1 and not checked. `sensitive`: nobody on the way may index it (RFC 7541, 6.2.3); so it is
   * always for credentials and cookies.
   */
  writeField(name: string, value: string, target: Buffer, offset: number, sensitive = false): number {
    const table = this.#table;
    const state = table.name(name);
    const policy = sensitive ? indexing.sensitive : state.policy;
    const found = policy === indexing.sensitive ? 0 : table.find(state, value);
    const room = target.length - offset;
    if (found !== 0) {
      if (room < integerSize(0x7f, found)) return -1;
      return writeInteger(target, offset, indexedField, 0x7f, found);
    }
    const nameIndex = table.findName(state);
    // First roughly: most often there is plenty.
    if (room < name.length + value.length + 3 * longestInteger && room < literalSize(name, value, nameIndex)) return -1;

    const size = entrySize(name, value);
    let indexed = policy === indexing.atOnce;
    if (policy === indexing.whenRepeated) {
      const print = fingerprint(value);
      indexed = state.lastValue === print;
      state.lastValue = print;
    }
    // A larger entry would push out too many others.
    if (size > table.maximum >> 2) indexed = false;
    let at: number;
    if (indexed) at = writeInteger(target, offset, literalWithIndexing, 0x3f, nameIndex);
    else at = writeInteger(target, offset, policy === indexing.sensitive ? literalNeverIndexed : literalWithoutIndexing, 0x0f, nameIndex);
    if (nameIndex === 0) at = writeString(target, at, name);
    const end = writeString(target, at, value);
    // The text anew: `value` may be a part of a whole head.
    if (indexed) table.add(state, target.toString("latin1", end - value.length, end), size);
    return end;
  }
}

function literalSize(name: string, value: string, nameIndex: number): number {
  // The shorter prefix of the two kinds of literals: it never says less than is written.
  return integerSize(0x0f, nameIndex) + (nameIndex === 0 ? stringSize(name) : 0) + stringSize(value);
}

function stringSize(text: string): number {
  return integerSize(0x7f, text.length) + text.length;
}

function integerSize(prefix: number, value: number): number {
  if (value < prefix) return 1;
  let size = 2;
  for (let rest = value - prefix; rest >= 0x80; rest >>>= 7) size++;
  return size;
}

function writeInteger(target: Buffer, offset: number, pattern: number, prefix: number, value: number): number {
  if (value < prefix) {
    target[offset] = pattern | value;
    return offset + 1;
  }
  let at = offset;
  target[at++] = pattern | prefix;
  let rest = value - prefix;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}

function writeString(target: Buffer, offset: number, text: string): number {
  const { length } = text;
  const at = writeInteger(target, offset, 0, 0x7f, length);
  if (length >= shortString) target.write(text, at, length, "latin1");
  else for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}

function staticStatus(status: number): number {
  switch (status) {
    case 200: return 8;
    case 204: return 9;
    case 206: return 10;
    case 304: return 11;
    case 400: return 12;
    case 404: return 13;
    case 500: return 14;
    default: return 0;
  }
}
