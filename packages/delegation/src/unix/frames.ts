/**
 * What the two processes say to one another beside the descriptors, which travel over a second socket, in the same order. A
 * frame is the number of its bytes behind that number (32 bits, little endian, as all numbers), its kind (8), the
 * connection that it is about (32), and what the kind says. Both ends run on one machine: there is no other byte order to think of.
 */

/** Both sides must say the same: one byte more would be read as something else. */
export const protocolVersion = 2;

export const frameKind = {
  /** JSON: first words of both sides. */
  hello: 1,
  /** mode (8), whether a descriptor was sent (8), length of the body (64-bit float), length of the head (32), head, what came behind it. */
  handOver: 2,
  /** The other process has it: sent before it does anything with the connection. */
  accepted: 3,
  /** It has not, and keeps nothing of it; the reason as text. */
  refused: 4,
  /** The connection comes back: whether the other process keeps its copy (8), the bytes that were read and not used. */
  handBack: 5,
  /** The connection ended over there. */
  finished: 6,
  /** From now on descriptors may be sent. */
  ready: 7,
  /** The other process has no copy of it: the hand-over is to be sent again, with the descriptor. */
  missing: 8,
  /** The other process keeps no copy any more of a connection that it gave back. */
  dropped: 9,
  /** The connection has left HTTP and never comes back. */
  kept: 10,
  /** The gateway has closed its copy: one that was given back is to be closed, one that is served ends after its answer. */
  forget: 11,
  /** The other process takes no more, and serves what it has to the end. */
  closing: 12,
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
  /** Whether its descriptor was sent before this; otherwise the other process has a copy of it still. */
  readonly hasDescriptor: boolean;
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

const handOverFields = 14;
const handOverSize = prefixSize + handOverFields;

export function handOverFrame(id: number, { mode, hasDescriptor, bodyLength, head, rest }: HandOver): Buffer {
  const bytes = Buffer.allocUnsafe(handOverSize + head.length + rest.length);
  writePrefix(bytes, frameKind.handOver, id);
  bytes[prefixSize] = mode === "sticky" ? 0 : 1;
  bytes[prefixSize + 1] = hasDescriptor ? 1 : 0;
  bytes.writeDoubleLE(bodyLength, prefixSize + 2);
  bytes.writeUInt32LE(head.length, prefixSize + 10);
  bytes.set(head, handOverSize);
  if (rest.length > 0) bytes.set(rest, handOverSize + head.length);
  return bytes;
}

/** Throws for what no gateway sends. */
export function readHandOver(payload: Buffer): HandOver {
  if (payload.length < handOverFields) throw new Error("a hand-over that is too short");
  const [mode, hasDescriptor] = payload as unknown as readonly [number, number];
  const bodyLength = payload.readDoubleLE(2);
  const end = handOverFields + payload.readUInt32LE(10);
  if (end > payload.length || mode > 1 || hasDescriptor > 1 || !Number.isSafeInteger(bodyLength) || bodyLength < -1) {
    throw new Error("a hand-over that makes no sense");
  }
  // Copies: the memory it came in is that of the socket's read.
  return {
    mode: mode === 0 ? "sticky" : "perRequest",
    hasDescriptor: hasDescriptor === 1,
    bodyLength,
    head: Buffer.from(payload.subarray(handOverFields, end)),
    rest: end === payload.length ? noBytes : Buffer.from(payload.subarray(end)),
  };
}

/** A connection on its way back to the gateway. */
export interface HandBack {
  /** Whether the other process keeps its copy, so that the next hand-over needs no descriptor. */
  readonly keepsCopy: boolean;
  readonly rest: Buffer;
}

export function handBackFrame(id: number, { keepsCopy, rest }: HandBack): Buffer {
  const bytes = Buffer.allocUnsafe(prefixSize + 1 + rest.length);
  writePrefix(bytes, frameKind.handBack, id);
  bytes[prefixSize] = keepsCopy ? 1 : 0;
  if (rest.length > 0) bytes.set(rest, prefixSize + 1);
  return bytes;
}

/** Throws for what no receiver sends. */
export function readHandBack(payload: Buffer): HandBack {
  const keepsCopy = payload[0];
  if (keepsCopy === undefined || keepsCopy > 1) throw new Error("a hand-back that makes no sense");
  return { keepsCopy: keepsCopy === 1, rest: payload.length === 1 ? noBytes : Buffer.from(payload.subarray(1)) };
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
