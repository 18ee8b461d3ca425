/**
 * What the two processes say to one another beside the descriptors, which travel over a second socket, in the same order. A
 * frame is the number of its bytes behind that number (32 bits, little endian, as all numbers), its kind (8), the
 * hand-over that it is about (32), and what the kind says. Both ends run on one machine: there is no other byte order to think of.
 */

/** Both sides must say the same: one byte more would be read as something else. */
export const protocolVersion = 1;

export const frameKind = {
  /** JSON: first words of both sides. */
  hello: 1,
  /** mode (8), length of the body (64-bit float), length of the head (32), head, what came behind it. */
  handOver: 2,
  /** The other process has it: sent before it does anything with the connection. */
  accepted: 3,
  /** It has not, and keeps nothing of it; the reason as text. */
  refused: 4,
  /** The connection comes back, with the bytes that were read and not used. */
  handBack: 5,
  /** The connection ended over there. */
  finished: 6,
  /** From now on descriptors may be sent. */
  ready: 7,
} as const;

const prefixSize = 9;
/** What a frame may have at most; a head and what an engine reads ahead are far below. */
export const maximumFrame = 4_194_304;
/** Before the other side has shown who it is. */
const maximumHello = 1024;

const noBytes = Buffer.alloc(0);

/** One frame as bytes. */
export function frame(kind: number, id: number, payload: Uint8Array = noBytes): Buffer {
  const bytes = Buffer.allocUnsafe(prefixSize + payload.length);
  writePrefix(bytes, kind, id);
  bytes.set(payload, prefixSize);
  return bytes;
}

/** A connection on its way to the other process. */
export interface HandOver {
  readonly mode: DelegationMode;
  /** 0 none, -1 chunked. */
  readonly bodyLength: number;
  readonly head: Buffer;
  readonly rest: Buffer;
}

/**
 * `sticky`: the connection stays with the other process, which sees all requests that follow. `perRequest`: it comes back
 * after each response, so that every request is routed.
 */
export type DelegationMode = "sticky" | "perRequest";

const handOverSize = prefixSize + 13;

export function handOverFrame(id: number, { mode, bodyLength, head, rest }: HandOver): Buffer {
  const bytes = Buffer.allocUnsafe(handOverSize + head.length + rest.length);
  writePrefix(bytes, frameKind.handOver, id);
  bytes.writeUInt8(mode === "sticky" ? 0 : 1, prefixSize);
  bytes.writeDoubleLE(bodyLength, prefixSize + 1);
  bytes.writeUInt32LE(head.length, prefixSize + 9);
  bytes.set(head, handOverSize);
  bytes.set(rest, handOverSize + head.length);
  return bytes;
}

/** Throws for what no gateway sends. */
export function readHandOver(payload: Buffer): HandOver {
  const headLength = payload.length < 13 ? Infinity : payload.readUInt32LE(9);
  const mode = payload[0];
  const bodyLength = payload.length < 13 ? Number.NaN : payload.readDoubleLE(1);
  if (headLength > payload.length - 13 || (mode !== 0 && mode !== 1) || !Number.isSafeInteger(bodyLength) || bodyLength < -1) {
    throw new Error("a hand-over that makes no sense");
  }
  // Copies: the memory it came in is that of the socket's read.
  return {
    mode: mode === 0 ? "sticky" : "perRequest",
    bodyLength,
    head: Buffer.from(payload.subarray(13, 13 + headLength)),
    rest: Buffer.from(payload.subarray(13 + headLength)),
  };
}

function writePrefix(bytes: Buffer, kind: number, id: number): void {
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt32LE(id, 5);
}

/** Told each frame; the payload is good until the call returns. */
export type FrameListener = (kind: number, id: number, payload: Buffer) => void;

/** Takes frames out of a stream of bytes. */
export class FrameReader {
  #held: Buffer = noBytes;
  #maximum = maximumHello;

  /** The other side is known: frames may be as long as they get. */
  trust(): void {
    this.#maximum = maximumFrame;
  }

  /** Throws for a frame that is too long or too short to be one. */
  read(chunk: Buffer, listener: FrameListener): void {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (bytes.length >= 4) {
      const size = bytes.readUInt32LE(0);
      if (size < 5 || size > this.#maximum) throw new Error(`a frame of ${size} bytes`);
      if (bytes.length < 4 + size) break;
      listener(bytes.readUInt8(4), bytes.readUInt32LE(5), bytes.subarray(prefixSize, 4 + size));
      bytes = bytes.subarray(4 + size);
    }
    this.#held = bytes.length === 0 ? noBytes : Buffer.from(bytes);
  }
}
