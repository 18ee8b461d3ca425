/** Writes frames into the output of a connection (RFC 9113, 6). What follows the last frame of the same stream is joined to it. */
import type { HeaderLine } from "../../header-list.ts";
import { dateValue } from "../server/date-line.ts";
import { HpackEncoder } from "./hpack/hpack-encoder.ts";
import { clientPreface, frameFlag, frameHeaderSize, frameType, minimumMaxFrameSize, writeFrameHeader, writeUint32 } from "./frames.ts";
import type { Output } from "./output.ts";
import type { OutgoingFields } from "./response-head.ts";

/** Room for the head of an ordinary response. */
const usualHead = 2048;

export class FrameWriter {
  readonly encoder = new HpackEncoder();
  readonly #output: Output;
  /** Where the last frame begins that can still be changed, its stream and the memory that it stands in. */
  #last = -1;
  #lastStream = 0;
  #lastPosition = -1;

  constructor(output: Output) {
    this.#output = output;
  }

  /** A response head: `length` is added as Content-Length unless it is below 0. */
  head(id: number, status: number, fields: OutgoingFields, length: number, endStream: boolean): void {
    const start = this.#beginBlock();
    let at = this.#status(status, start);
    for (const line of fields.lines) at = this.#field(line.key, line.value, at);
    if (length >= 0) at = this.#field("content-length", String(length), at);
    if (!fields.hasDate && status >= 200) at = this.#field("date", dateValue(), at);
    this.#endBlock(id, start, at, endStream);
  }

  /** What a client says first (RFC 9113, 3.4). */
  preface(): void {
    const output = this.#output;
    output.reserve(clientPreface.length);
    copy(output.memory, output.offset, clientPreface, 0, clientPreface.length);
    output.offset += clientPreface.length;
  }

  /** A header block of `name, value, …`: a request head, its pseudo-fields first. */
  fields(id: number, fields: readonly string[], endStream: boolean): void {
    const start = this.#beginBlock();
    let at = this.#begin(start);
    for (let i = 0; i < fields.length; i += 2) at = this.#field(fields[i] as string, fields[i + 1] as string, at);
    this.#endBlock(id, start, at, endStream);
  }

  trailers(id: number, lines: readonly HeaderLine[]): void {
    const start = this.#beginBlock();
    let at = this.#begin(start);
    for (const line of lines) at = this.#field(line.key, line.value, at);
    this.#endBlock(id, start, at, true);
  }

  /** A DATA frame of `chunk[from..to)`, or a part of the last one. At most 16 KiB. */
  data(id: number, chunk: Uint8Array, from: number, to: number, endStream: boolean): void {
    const output = this.#output;
    const length = to - from;
    const last = this.#lastOf(id);
    if (last >= 0 && output.memory[last + 3] === frameType.data && output.offset + length <= output.memory.length) {
      const before = output.offset - last - frameHeaderSize;
      if (before + length <= minimumMaxFrameSize) {
        copy(output.memory, output.offset, chunk, from, to);
        output.offset += length;
        writeFrameHeader(output.memory, last, before + length, frameType.data, endStream ? frameFlag.endStream : 0, id);
        this.#remember(id, last);
        return;
      }
    }
    output.reserve(frameHeaderSize + length);
    const { memory, offset } = output;
    const at = writeFrameHeader(memory, offset, length, frameType.data, endStream ? frameFlag.endStream : 0, id);
    copy(memory, at, chunk, from, to);
    output.offset = at + length;
    this.#remember(id, offset);
  }

  /** As `data`, for latin1 text. */
  text(id: number, text: string, endStream: boolean): void {
    const output = this.#output;
    const { length } = text;
    output.reserve(frameHeaderSize + length);
    const { memory, offset } = output;
    const at = writeFrameHeader(memory, offset, length, frameType.data, endStream ? frameFlag.endStream : 0, id);
    memory.write(text, at, length, "latin1");
    output.offset = at + length;
    this.#remember(id, offset);
  }

  /** The last frame stays as it is: what follows is no part of the same message. */
  settle(): void {
    this.#last = -1;
  }

  /** The end of a stream, on its last frame where that has not left. */
  endStream(id: number): void {
    const last = this.#lastOf(id);
    if (last < 0) {
      this.data(id, noBytes, 0, 0, true);
      return;
    }
    const { memory } = this.#output;
    memory[last + 4] = (memory[last + 4] as number) | frameFlag.endStream;
    this.#last = -1;
  }

  reset(id: number, code: number): void {
    const at = this.#control(4, frameType.rstStream, 0, id);
    writeUint32(this.#output.memory, at, code);
  }

  windowUpdate(id: number, increment: number): void {
    const at = this.#control(4, frameType.windowUpdate, 0, id);
    writeUint32(this.#output.memory, at, increment);
  }

  settings(pairs: readonly (readonly [id: number, value: number])[]): void {
    let at = this.#control(pairs.length * 6, frameType.settings, 0, 0);
    const { memory } = this.#output;
    for (const [id, value] of pairs) {
      memory[at] = id >>> 8;
      memory[at + 1] = id;
      at = writeUint32(memory, at + 2, value);
    }
  }

  settingsAcknowledged(): void {
    this.#control(0, frameType.settings, frameFlag.ack, 0);
  }

  ping(bytes: Uint8Array, from: number, answer: boolean): void {
    const at = this.#control(8, frameType.ping, answer ? frameFlag.ack : 0, 0);
    copy(this.#output.memory, at, bytes, from, from + 8);
  }

  goaway(lastStream: number, code: number): void {
    const at = this.#control(8, frameType.goaway, 0, 0);
    writeUint32(this.#output.memory, writeUint32(this.#output.memory, at, lastStream), code);
  }

  /** Writes the header of a frame whose payload the caller writes; returns its place. */
  #control(length: number, type: number, flags: number, id: number): number {
    const output = this.#output;
    output.reserve(frameHeaderSize + length);
    const at = writeFrameHeader(output.memory, output.offset, length, type, flags, id);
    output.offset = at + length;
    return at;
  }

  /** The place of the last frame when it is one of stream `id` and has not left; -1 otherwise. */
  #lastOf(id: number): number {
    return this.#last >= 0 && this.#lastStream === id && this.#lastPosition === this.#output.position && this.#output.offset > this.#last ? this.#last : -1;
  }

  #remember(id: number, place: number): void {
    this.#last = place;
    this.#lastStream = id;
    this.#lastPosition = this.#output.position;
  }

  #beginBlock(): number {
    this.#output.reserve(usualHead);
    return this.#output.offset + frameHeaderSize;
  }

  #begin(start: number): number {
    const at = this.encoder.beginBlock(this.#output.memory, start);
    if (at >= 0) return at;
    this.#output.grow(start);
    return this.#begin(start);
  }

  #status(status: number, start: number): number {
    let from = this.#begin(start);
    for (;;) {
      const at = this.encoder.writeStatus(status, this.#output.memory, from);
      if (at >= 0) return at;
      this.#output.grow(from);
    }
  }

  #field(name: string, value: string, from: number): number {
    for (;;) {
      const at = this.encoder.writeField(name, value, this.#output.memory, from);
      if (at >= 0) return at;
      this.#output.grow(from);
    }
  }

  /** The block stands in `memory[start..end)`, with room for the header of its frame before. */
  #endBlock(id: number, start: number, end: number, endStream: boolean): void {
    const output = this.#output;
    const place = start - frameHeaderSize;
    const flags = endStream ? frameFlag.endStream : 0;
    if (end - start <= minimumMaxFrameSize) {
      writeFrameHeader(output.memory, place, end - start, frameType.headers, flags | frameFlag.endHeaders, id);
      output.offset = end;
      this.#remember(id, place);
      return;
    }
    const block = Buffer.from(output.memory.subarray(start, end));
    for (let from = 0; from < block.length; from += minimumMaxFrameSize) {
      const to = Math.min(block.length, from + minimumMaxFrameSize);
      const last = to === block.length ? frameFlag.endHeaders : 0;
      output.reserve(frameHeaderSize + to - from);
      const at = writeFrameHeader(
        output.memory, output.offset, to - from, from === 0 ? frameType.headers : frameType.continuation, (from === 0 ? flags : 0) | last, id,
      );
      block.copy(output.memory, at, from, to);
      output.offset = at + to - from;
    }
    this.#last = -1;
  }
}

const noBytes = new Uint8Array(0);

/** Few bytes are copied faster one by one. */
function copy(target: Buffer, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to - from <= 16) for (let i = from; i < to; i++) target[at + i - from] = bytes[i] as number;
  else target.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
}
