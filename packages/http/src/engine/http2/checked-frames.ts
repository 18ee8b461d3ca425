/**
 * Checks what can be checked of a frame alone (RFC 9113, 4 and 6): its size, whether its stream may be 0, padding,
 * that nothing stands between the parts of a header block. Header blocks come joined. No object is made per frame.
 */
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { errorCode, frameFlag, frameType, minimumMaxFrameSize, readUint32 } from "./frames.ts";

/** What a connection is told of frames. `id` is that of the stream; bytes are only lent. */
export interface FrameEvents {
  /** A DATA frame begins: `length` bytes count for flow control. */
  dataBegins(id: number, length: number, endStream: boolean): void;
  /** A part of its bytes, without padding. */
  dataBytes(bytes: Buffer, from: number, to: number): void;
  dataEnds(): void;
  /** A whole header block. `dependsOnItself`: its priority is malformed. */
  headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void;
  reset(id: number, code: number): void;
  settings(bytes: Buffer, from: number, to: number): void;
  settingsAcknowledged(): void;
  ping(bytes: Buffer, from: number): void;
  pingAnswered(bytes: Buffer, from: number): void;
  /** `last`: the last stream that the peer has looked at, or may. */
  goaway(last: number, code: number): void;
  windowUpdate(id: number, increment: number): void;
  /** A frame of `size` bytes that changes nothing: PRIORITY, an unknown one, an empty part of a header block. */
  nothing(size: number): void;
  /** The connection (`id` 0) or the stream did wrong. After a fault of the connection nothing more is told. */
  fault(id: number, code: number, message: string): void;
}

/** Frames of one header block beyond what its size needs: what is large but honest needs three. */
const spareContinuations = 16;

/** The frames of one peer, in the order of the wire. */
export class CheckedFrames implements FrameHandler {
  readonly #events: FrameEvents;
  readonly #maximumBlock: number;
  readonly #maximumContinuations: number;
  readonly #reader: FrameReader;
  /** Frames, or whole header blocks, that came. */
  count = 0;
  /** Within the bytes of a DATA frame. */
  inData = false;
  /** The first frame is SETTINGS (RFC 9113, 3.4). */
  #begun = false;
  /** A header block that is not whole: its stream, or 0. */
  #blockStream = 0;
  #blockEndsStream = false;
  #blockDependsOnItself = false;
  #block: Buffer | undefined = undefined;
  #continuations = 0;

  /** `maximumBlock`: most bytes of a header block as it is on the wire. */
  constructor(events: FrameEvents, maximumBlock: number) {
    this.#events = events;
    this.#maximumBlock = maximumBlock;
    this.#maximumContinuations = spareContinuations + Math.floor(maximumBlock / minimumMaxFrameSize);
    this.#reader = new FrameReader(this, minimumMaxFrameSize);
  }

  /** Reads `bytes[from..to)`, the next bytes of the connection. */
  read(bytes: Buffer, from: number, to: number): void {
    this.#reader.read(bytes, from, to);
  }

  /** Between two frames, and not within a header block. */
  get idle(): boolean {
    return this.#blockStream === 0 && this.#reader.idle;
  }

  /** Tells nothing any more. */
  stop(): void {
    this.#reader.stop();
  }

  onDataStart(id: number, flags: number, length: number): void {
    this.inData = true;
    if (!this.#begun) this.#fail(errorCode.protocolError, "the first frame is not SETTINGS");
    else if (this.#blockStream !== 0) this.#fail(errorCode.protocolError, "a frame stands within a header block");
    else if (id === 0) this.#fail(errorCode.protocolError, "DATA without a stream");
    else this.#events.dataBegins(id, length, (flags & frameFlag.endStream) !== 0);
  }

  onData(bytes: Buffer, from: number, to: number): void {
    this.#events.dataBytes(bytes, from, to);
  }

  onDataEnd(): void {
    this.inData = false;
    this.count++;
    this.#events.dataEnds();
  }

  onUnknownFrame(_type: number, _flags: number, _id: number, length: number): void {
    this.count++;
    if (!this.#begun) this.#fail(errorCode.protocolError, "the first frame is not SETTINGS");
    else if (this.#blockStream !== 0) this.#fail(errorCode.protocolError, "a frame stands within a header block");
    else this.#events.nothing(length);
  }

  onFrameTooLarge(): void {
    this.#fail(errorCode.frameSizeError, "a frame is too large");
  }

  onPaddingTooLong(): void {
    this.#fail(errorCode.protocolError, "padding is longer than its frame");
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (!this.#begun) {
      if (type !== frameType.settings || (flags & frameFlag.ack) !== 0) {
        this.#fail(errorCode.protocolError, "the first frame is not SETTINGS");
        return;
      }
      this.#begun = true;
    }
    if (this.#blockStream !== 0 && (type !== frameType.continuation || id !== this.#blockStream)) {
      this.#fail(errorCode.protocolError, "a frame stands within a header block");
    } else {
      this.#frame(type, flags, id, bytes, from, to);
      if (this.#blockStream === 0) this.count++;
    }
  }

  #frame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const events = this.#events;
    const length = to - from;
    switch (type) {
      case frameType.headers:
        this.#headers(flags, id, bytes, from, to);
        return;
      case frameType.continuation:
        this.#continuation(flags, bytes, from, to);
        return;
      case frameType.windowUpdate:
        if (length !== 4) this.#fail(errorCode.frameSizeError, "a WINDOW_UPDATE frame of another size");
        else events.windowUpdate(id, readUint32(bytes, from) & 0x7fffffff);
        return;
      case frameType.rstStream:
        if (id === 0) this.#fail(errorCode.protocolError, "RST_STREAM without a stream");
        else if (length !== 4) this.#fail(errorCode.frameSizeError, "a RST_STREAM frame of another size");
        else events.reset(id, readUint32(bytes, from));
        return;
      case frameType.priority:
        if (id === 0) this.#fail(errorCode.protocolError, "PRIORITY without a stream");
        else if (length !== 5) events.fault(id, errorCode.frameSizeError, "a PRIORITY frame of another size");
        else if ((readUint32(bytes, from) & 0x7fffffff) === id) this.#fail(errorCode.protocolError, "a stream depends on itself");
        else events.nothing(length);
        return;
      default:
        this.#connectionFrame(type, flags, id, bytes, from, to);
    }
  }

  /** Frames that concern the connection and not a stream. */
  #connectionFrame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const events = this.#events;
    const length = to - from;
    const ack = (flags & frameFlag.ack) !== 0;
    if (type === frameType.pushPromise) {
      this.#fail(errorCode.protocolError, "a push is promised");
    } else if (type === frameType.continuation) {
      this.#fail(errorCode.protocolError, "CONTINUATION without a header block");
    } else if (id !== 0) {
      this.#fail(errorCode.protocolError, "a frame of the connection on a stream");
    } else if (type === frameType.settings) {
      if (ack && length === 0) events.settingsAcknowledged();
      else if (ack || length % 6 !== 0) this.#fail(errorCode.frameSizeError, "a SETTINGS frame of another size");
      else events.settings(bytes, from, to);
    } else if (type === frameType.ping) {
      if (length !== 8) this.#fail(errorCode.frameSizeError, "a PING frame of another size");
      else if (ack) events.pingAnswered(bytes, from);
      else events.ping(bytes, from);
    } else if (length < 8) {
      this.#fail(errorCode.frameSizeError, "a GOAWAY frame that is too short");
    } else {
      events.goaway(readUint32(bytes, from) & 0x7fffffff, readUint32(bytes, from + 4));
    }
  }

  #headers(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id === 0) {
      this.#fail(errorCode.protocolError, "HEADERS without a stream");
      return;
    }
    let start = from;
    let end = to;
    const padded = (flags & frameFlag.padded) !== 0;
    const priority = (flags & frameFlag.priority) !== 0;
    if (to - from < (padded ? 1 : 0) + (priority ? 5 : 0)) {
      this.#fail(errorCode.frameSizeError, "a HEADERS frame that is too short");
      return;
    }
    if (padded) end -= bytes[start++] as number;
    const dependsOnItself = priority && (readUint32(bytes, start) & 0x7fffffff) === id;
    if (priority) start += 5;
    if (end < start) {
      this.#fail(errorCode.protocolError, "padding longer than its frame");
      return;
    }
    const endStream = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) !== 0) {
      this.#events.headers(id, endStream, dependsOnItself, bytes, start, end);
      return;
    }
    this.#blockStream = id;
    this.#blockEndsStream = endStream;
    this.#blockDependsOnItself = dependsOnItself;
    this.#block = Buffer.from(bytes.subarray(start, end));
    this.#continuations = 0;
    if (start === end) this.#events.nothing(to - from);
  }

  #continuation(flags: number, bytes: Buffer, from: number, to: number): void {
    const id = this.#blockStream;
    const before = this.#block;
    if (id === 0 || before === undefined) {
      this.#fail(errorCode.protocolError, "CONTINUATION without a header block");
      return;
    }
    const block = Buffer.concat([before, bytes.subarray(from, to)]);
    if (++this.#continuations > this.#maximumContinuations || block.length > this.#maximumBlock) {
      this.#fail(errorCode.enhanceYourCalm, "a header block is too large");
      return;
    }
    if ((flags & frameFlag.endHeaders) === 0) {
      this.#block = block;
      if (from === to) this.#events.nothing(0);
      return;
    }
    this.#blockStream = 0;
    this.#block = undefined;
    this.#events.headers(id, this.#blockEndsStream, this.#blockDependsOnItself, block, 0, block.length);
  }

  #fail(code: number, message: string): void {
    this.#reader.stop();
    this.#events.fault(0, code, message);
  }
}
