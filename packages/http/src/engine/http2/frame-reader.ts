import { frameFlag, frameHeaderSize, frameType } from "./frames.ts";

/** Takes what a `FrameReader` finds, in the order of the wire. All buffers are valid during the call alone. */
export interface FrameHandler {
  /** A whole frame that is neither DATA nor unknown: its payload is `buffer[start..end)`, padding included. */
  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void;
  /**
   * The header of a DATA frame, before its data came. `length` counts for flow control: it includes padding. Of data itself
   * there are at most `length` octets.
   */
  onDataStart(streamId: number, flags: number, length: number): void;
  /** The next octets of that DATA frame: at least one, without padding. */
  onData(buffer: Buffer, start: number, end: number): void;
  /** That DATA frame is over, padding included. */
  onDataEnd(): void;
  /** A frame of a type that RFC 9113 does not know; its payload is skipped. */
  onUnknownFrame(type: number, flags: number, streamId: number, length: number): void;
  /** The payload is larger than allowed (RFC 9113, 4.2: FRAME_SIZE_ERROR). Nothing more is read. */
  onFrameTooLarge(type: number, flags: number, streamId: number, length: number): void;
  /** The padding of a DATA frame is as long as its payload, or longer (RFC 9113, 6.1: PROTOCOL_ERROR). Nothing more is read. */
  onPaddingTooLong(streamId: number): void;
}

/** Memory for a payload that comes in pieces: no more than twice what has come, however much was announced. */
const firstCapacity = 512;
const empty = Buffer.alloc(0);

/**
 * Cuts the bytes of a connection into frames. Payloads are views of the bytes fed; only what was cut is put together, and
 * DATA never is. The reserved bit of a stream identifier is ignored.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maximum: number;
  /** The header of a frame that was cut. Made when it is needed, and of memory of its own: a part of the pool would keep all of that alive. */
  #header: Buffer | undefined = undefined;
  #headerCount = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  #length = 0;
  /** Octets of the payload that have not come. */
  #left = 0;
  #inPayload = false;
  /** The DATA frame tells the length of its padding first, which did not come yet. */
  #awaitsPadding = false;
  /** Octets at the end of the DATA frame that are padding. */
  #padding = 0;
  #joined = empty;
  #joinedCount = 0;
  #stopped = false;

  /** `maxFrameSize`: the SETTINGS_MAX_FRAME_SIZE that was announced, or 16384. */
  constructor(handler: FrameHandler, maxFrameSize: number) {
    this.#handler = handler;
    this.#maximum = maxFrameSize;
  }

  /** Between two frames: an end of the connection cuts none off. */
  get idle(): boolean {
    return !this.#inPayload && this.#headerCount === 0;
  }

  /** Nothing more is given to the handler, also not from the bytes that are being read. */
  stop(): void {
    this.#stopped = true;
    this.#joined = empty;
  }

  /** Reads `chunk[start..end)`, the next bytes of the connection. Must not be called by the handler. */
  read(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (!this.#stopped) {
      if (!this.#inPayload) {
        const behind = this.#readHeader(chunk, at, end);
        if (behind < 0) return;
        at = behind;
        this.#begin();
      } else if (at < end || this.#left === 0) {
        at = this.#readPayload(chunk, at, end);
      } else {
        return;
      }
    }
  }

  /** Takes the header of a frame, whole or what there is of it; -1: more is needed. */
  #readHeader(chunk: Buffer, start: number, end: number): number {
    let bytes = chunk;
    let from = start;
    let behind = start + frameHeaderSize;
    if (this.#headerCount > 0 || behind > end) {
      const wanted = frameHeaderSize - this.#headerCount;
      const taken = Math.min(wanted, end - start);
      if (taken === 0) return -1;
      const header = (this.#header ??= Buffer.allocUnsafeSlow(frameHeaderSize));
      for (let i = 0; i < taken; i++) header[this.#headerCount + i] = chunk[start + i] as number;
      this.#headerCount += taken;
      if (taken < wanted) return -1;
      this.#headerCount = 0;
      bytes = header;
      from = 0;
      behind = start + taken;
    }
    this.#length = ((bytes[from] as number) << 16) | ((bytes[from + 1] as number) << 8) | (bytes[from + 2] as number);
    this.#type = bytes[from + 3] as number;
    this.#flags = bytes[from + 4] as number;
    this.#streamId =
      (((bytes[from + 5] as number) & 0x7f) << 24) | ((bytes[from + 6] as number) << 16) | ((bytes[from + 7] as number) << 8) | (bytes[from + 8] as number);
    return behind;
  }

  #begin(): void {
    const type = this.#type;
    const length = this.#length;
    if (length > this.#maximum) {
      this.stop();
      this.#handler.onFrameTooLarge(type, this.#flags, this.#streamId, length);
      return;
    }
    this.#inPayload = true;
    this.#left = length;
    if (type === frameType.data) {
      this.#padding = 0;
      this.#awaitsPadding = (this.#flags & frameFlag.padded) !== 0;
      if (this.#awaitsPadding && length === 0) this.#refusePadding();
      else this.#handler.onDataStart(this.#streamId, this.#flags, length);
    } else if (type > frameType.continuation) {
      this.#handler.onUnknownFrame(type, this.#flags, this.#streamId, length);
    }
  }

  #readPayload(chunk: Buffer, start: number, end: number): number {
    const type = this.#type;
    const behind = Math.min(end, start + this.#left);
    if (type === frameType.data) {
      this.#readData(chunk, start, behind);
    } else if (type <= frameType.continuation) {
      if (this.#joinedCount > 0 || behind - start < this.#left) {
        this.#join(chunk, start, behind);
      } else {
        this.#inPayload = false;
        this.#handler.onFrame(type, this.#flags, this.#streamId, chunk, start, behind);
      }
    } else {
      this.#left -= behind - start;
      this.#inPayload = this.#left > 0;
    }
    return behind;
  }

  #readData(chunk: Buffer, start: number, behind: number): void {
    let from = start;
    if (this.#awaitsPadding) {
      this.#awaitsPadding = false;
      this.#padding = chunk[from++] as number;
      if (this.#padding >= this.#length) {
        this.#refusePadding();
        return;
      }
    }
    this.#left -= behind - start;
    const dataEnd = Math.min(behind, behind + this.#left - this.#padding);
    if (dataEnd > from) this.#handler.onData(chunk, from, dataEnd);
    if (this.#left > 0 || this.#stopped) return;
    this.#inPayload = false;
    this.#handler.onDataEnd();
  }

  #join(chunk: Buffer, start: number, behind: number): void {
    const count = this.#joinedCount + behind - start;
    if (count > this.#joined.length) {
      const wanted = Math.min(this.#length, Math.max(firstCapacity, count * 2));
      const larger = Buffer.allocUnsafeSlow(wanted);
      this.#joined.copy(larger, 0, 0, this.#joinedCount);
      this.#joined = larger;
    }
    chunk.copy(this.#joined, this.#joinedCount, start, behind);
    this.#joinedCount = count;
    this.#left -= behind - start;
    if (this.#left > 0) return;
    const joined = this.#joined;
    this.#joinedCount = 0;
    this.#inPayload = false;
    this.#handler.onFrame(this.#type, this.#flags, this.#streamId, joined, 0, count);
    // Cuts are rare on most connections: none keeps a large buffer for them.
    if (joined.length > firstCapacity) this.#joined = empty;
  }

  #refusePadding(): void {
    this.stop();
    this.#handler.onPaddingTooLong(this.#streamId);
  }
}
