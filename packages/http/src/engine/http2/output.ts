/**
 * What a connection writes: frames are put into one piece of memory, which goes to the socket when it is full or when
 * all that became ready in this turn of the event loop was dealt with. So the answers of many streams leave together.
 */
import { readBuffers } from "../read-buffers.ts";

/** What is used of a socket. */
export interface OutputSocket {
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableLength: number;
  write(bytes: Uint8Array, callback?: (error?: Error | null) => void): boolean;
}

/** Told of writes. */
export interface OutputOwner {
  /** The system has taken all that was written up to `position`, as `Output.position` counts. */
  taken(position: number): void;
}

/** A piece of memory that the system has not taken as a whole. */
interface InFlight {
  readonly memory: Buffer;
  readonly position: number;
}

/** Pieces of this size are used again. */
const pieceSize = 65_536;
const nothing = Buffer.alloc(0);

export class Output {
  /** Where frames are written: `memory[offset..]` is free after `reserve`. */
  memory: Buffer = nothing;
  offset = 0;
  readonly #socket: OutputSocket;
  readonly #owner: OutputOwner;
  /** Over TLS no write is complete when it returns. */
  readonly #late: boolean;
  /** Bytes that were given to the socket. */
  #given = 0;
  /** How many of them the system has taken, and how many the owner knows of. */
  #taken = 0;
  #told = 0;
  readonly #inFlight: InFlight[] = [];
  #waits = false;

  constructor(socket: OutputSocket, late: boolean, owner: OutputOwner) {
    this.#socket = socket;
    this.#late = late;
    this.#owner = owner;
  }

  /** How many bytes were written by now, given to the socket or not. */
  get position(): number {
    return this.#given + this.offset;
  }

  /** Bytes that the system has not taken. */
  get unsent(): number {
    return this.#socket.writableLength + this.offset;
  }

  /** Makes room for `size` bytes at `offset`; what was written before may leave for it. */
  reserve(size: number): void {
    if (!this.#waits) {
      this.#waits = true;
      flushSoon(this);
    }
    if (this.offset + size <= this.memory.length) return;
    this.#give();
    if (this.memory === nothing) this.memory = size <= pieceSize ? readBuffers.take() : Buffer.allocUnsafeSlow(size);
  }

  /** Twice as much memory for what is being written from `offset` on. */
  grow(used: number): void {
    const larger = Buffer.allocUnsafeSlow(this.memory.length * 2);
    this.memory.copy(larger, 0, 0, used);
    release(this.memory);
    this.memory = larger;
  }

  /** Gives the socket what was written, and tells what was taken at once. */
  flush(): void {
    this.#waits = false;
    this.#give();
    if (this.#taken === this.#told) return;
    this.#told = this.#taken;
    this.#owner.taken(this.#taken);
  }

  #give(): void {
    const { memory, offset } = this;
    if (offset === 0) return;
    const socket = this.#socket;
    this.offset = 0;
    this.memory = nothing;
    if (socket.destroyed || socket.writableEnded) {
      release(memory);
      return;
    }
    const position = (this.#given += offset);
    const bytes = memory.subarray(0, offset);
    if (this.#late) {
      this.#inFlight.push({ memory, position });
      socket.write(bytes, this.#onTaken);
      return;
    }
    socket.write(bytes);
    if (socket.writableLength === 0 && this.#inFlight.length === 0) {
      release(memory);
      this.#taken = position;
      return;
    }
    this.#inFlight.push({ memory, position });
    socket.write(nothing, this.#onTaken);
  }

  readonly #onTaken = (error?: Error | null): void => {
    const taken = this.#inFlight.shift();
    if (taken === undefined || error != null) return;
    release(taken.memory);
    this.#taken = this.#told = taken.position;
    this.#owner.taken(taken.position);
  };
}

function release(memory: Buffer): void {
  if (memory.length === pieceSize) readBuffers.give(memory);
}

/** The outputs that were written to in this turn: one look at all of them, behind all reads that were ready with it. */
let waiting: Output[] = [];
let flushed: Output[] = [];

function flushSoon(output: Output): void {
  if (waiting.push(output) === 1) setImmediate(flushWaiting);
}

function flushWaiting(): void {
  const outputs = waiting;
  waiting = flushed;
  flushed = outputs;
  for (let i = 0; i < outputs.length; i++) (outputs[i] as Output).flush();
  outputs.length = 0;
}
