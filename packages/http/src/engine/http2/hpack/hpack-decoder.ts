/** Header blocks to fields (RFC 7541, 3 and 6). */
import { spelledName } from "../../../header-name.ts";
import { DecoderTable } from "./decoder-table.ts";
import { decodeHuffman, huffmanBound } from "./huffman.ts";
import { staticCount, staticFields } from "./static-table.ts";
import { fieldOverhead, TableField } from "./table-field.ts";

/** Takes the fields of a block in their order. */
export interface HeaderSink {
  /**
   * `value` is latin1, neither name nor value is checked. `sensitive`: a never-indexed literal (RFC 7541, 6.2.3), to be
   * passed on as such. `entry`: the entry of a table that the field is or has become, which comes again for the same pair;
   * undefined for a literal. Must not throw.
   */
  onField(name: string, value: string, sensitive: boolean, entry: TableField | undefined): void;
}

/** A block that is no HPACK: a connection error of type COMPRESSION_ERROR (RFC 9113, 4.3). */
export class HpackError extends Error {
  override readonly name = "HpackError";
  readonly code = "HPACK";
}

export interface HpackDecoderOptions {
  /** The SETTINGS_HEADER_TABLE_SIZE that was or will be announced to the peer. */
  readonly maxTableSize: number;
  /** Bytes of all fields of a block, 32 for each on top (RFC 9113, 6.5.2). */
  readonly maxHeaderListSize: number;
}

/** RFC 9113, 6.5.2: the table of who has not yet read other settings. */
export const initialTableSize = 4096;

/** RFC 7541, 4.2: the smallest size since the last block, and the final one. */
const maximumSizeUpdates = 2;
/** Octets after the prefix of an integer: 28 bits, more than any string or index can need (RFC 7541, 5.1). */
const lastShift = 21;
/** Names of up to this length are looked up among the known spellings, without making a string. */
const maximumLearnedName = 64;

/** What Huffman code is decoded into. */
const scratch = Buffer.allocUnsafeSlow(8192);

/** One decoder serves one direction of one connection. It holds at most one table of the announced size. */
export class HpackDecoder {
  readonly #maxListSize: number;
  readonly #announced: number;
  readonly #table: DecoderTable;
  #limit: number;
  /** The settings made the table smaller: the next block has to say so. */
  #mustResize = false;
  #position = 0;

  constructor(options: HpackDecoderOptions) {
    this.#maxListSize = options.maxHeaderListSize;
    this.#announced = options.maxTableSize;
    this.#limit = Math.max(options.maxTableSize, initialTableSize);
    this.#table = new DecoderTable(initialTableSize);
  }

  /** The peer acknowledged the settings: only now a `maxTableSize` below 4096 binds it (RFC 9113, 6.5.3). */
  settingsAcknowledged(): void {
    this.#limit = this.#announced;
    this.#mustResize = this.#table.maximum > this.#limit;
  }

  /**
   * Decodes `block[start..end)`, one whole header block. False when the list became larger than allowed: the table is
   * right nevertheless, and the sink was given only the fields before that.
   *
   * @throws {HpackError} after which the decoder must not be used any more.
   */
  decode(block: Buffer, start: number, end: number, sink: HeaderSink): boolean {
    const table = this.#table;
    const maximum = this.#maxListSize;
    let size = 0;
    this.#position = this.#resizes(block, start, end);
    while (this.#position < end) {
      const byte = block[this.#position++] as number;
      if (byte >= 0x80) {
        const entry = this.#entry(byte < 0xff ? byte & 0x7f : this.#integer(block, end, 0x7f));
        if ((size += entry.size) <= maximum) sink.onField(entry.name, entry.value, false, entry);
        continue;
      }
      const indexing = byte >= 0x40;
      if (!indexing && byte >= 0x20) throw new HpackError("a table size update stands behind a field");
      const prefix = indexing ? 0x3f : 0x0f;
      let index = byte & prefix;
      if (index === prefix) index = this.#integer(block, end, prefix);
      const name = index === 0 ? this.#string(block, end, true) : this.#entry(index).name;
      const value = this.#string(block, end, false);
      if (indexing) {
        const entry = new TableField(name, value);
        table.add(entry);
        if ((size += entry.size) <= maximum) sink.onField(name, value, false, entry);
      } else if ((size += name.length + value.length + fieldOverhead) <= maximum) {
        sink.onField(name, value, byte >= 0x10, undefined);
      }
    }
    return size <= maximum;
  }

  /** Takes the size updates, which stand at the beginning of a block alone (RFC 7541, 4.2), and says what follows them. */
  #resizes(block: Buffer, start: number, end: number): number {
    this.#position = start;
    let updates = 0;
    while (this.#position < end) {
      const byte = block[this.#position] as number;
      if (byte < 0x20 || byte >= 0x40) break;
      if (++updates > maximumSizeUpdates) throw new HpackError("a block has more than two table size updates");
      this.#position++;
      const size = byte < 0x3f ? byte & 0x1f : this.#integer(block, end, 0x1f);
      if (size > this.#limit) throw new HpackError("a table size update is larger than the settings allow");
      this.#table.resize(size);
      this.#mustResize = false;
    }
    if (this.#mustResize) throw new HpackError("the table was not made as small as the settings ask");
    return this.#position;
  }

  #entry(index: number): TableField {
    if (index === 0) throw new HpackError("index 0 is used");
    if (index <= staticCount) return staticFields[index - 1] as TableField;
    const place = index - staticCount - 1;
    if (place >= this.#table.count) throw new HpackError("an index is beyond the table");
    return this.#table.at(place);
  }

  /** An integer whose prefix was all ones (RFC 7541, 5.1). */
  #integer(block: Buffer, end: number, prefix: number): number {
    let value = prefix;
    for (let shift = 0; shift <= lastShift; shift += 7) {
      if (this.#position >= end) throw new HpackError("an integer is cut off");
      const byte = block[this.#position++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("an integer is too large");
  }

  #string(block: Buffer, end: number, isName: boolean): string {
    if (this.#position >= end) throw new HpackError("a string is cut off");
    const byte = block[this.#position++] as number;
    let length = byte & 0x7f;
    if (length === 0x7f) length = this.#integer(block, end, 0x7f);
    const from = this.#position;
    const to = from + length;
    if (to > end) throw new HpackError("a string is longer than its block");
    this.#position = to;
    if (byte < 0x80) return isName ? nameText(block, from, to) : block.toString("latin1", from, to);
    const bound = huffmanBound(length);
    const target = bound <= scratch.length ? scratch : Buffer.allocUnsafe(bound);
    const count = decodeHuffman(block, from, to, target);
    if (count < 0) throw new HpackError("a string is no valid Huffman code");
    return isName ? nameText(target, 0, count) : target.toString("latin1", 0, count);
  }
}

function nameText(bytes: Buffer, from: number, to: number): string {
  if (to - from > maximumLearnedName) return bytes.toString("latin1", from, to);
  let hash = 0;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
  return spelledName(bytes, from, to, hash).name;
}
