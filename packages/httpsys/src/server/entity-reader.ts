import { errorCode } from "../abi/constants.ts";
import type { Memory } from "../binding.ts";
import type { PendingCall } from "../completions.ts";
import type { RequestHandle } from "./request-call.ts";

/** What becomes of the bytes. */
export interface EntitySink {
  /** True: the bytes are not referred to any more. */
  bytes(chunk: Uint8Array): boolean | void;
  end(): void;
  /** `code`: a Windows error code. */
  failed(code: number): void;
}

const blockSize = 65_536;

/** Reads the entity body of a request, or what comes after an upgrade, one block at a time and never while paused. */
export class EntityReader implements PendingCall {
  readonly #handle: RequestHandle;
  #sink: EntitySink | undefined;
  #memory: Memory | undefined;
  #flying = false;
  #paused = false;
  #held: Uint8Array | undefined;
  #heldEnd: number | undefined;

  constructor(handle: RequestHandle) {
    this.#handle = handle;
  }

  read(sink: EntitySink): void {
    this.#sink = sink;
    this.#pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const { buffer } = this.#memory ?? {};
    const held = this.#held;
    if (held !== undefined && buffer !== undefined) {
      this.#held = undefined;
      this.#deliver(held);
    }
    const code = this.#heldEnd;
    if (code !== undefined && !this.#paused && this.#held === undefined) {
      this.#heldEnd = undefined;
      this.#finish(code);
    }
    this.#pump();
  }

  /** No calls from here on. */
  stop(): void {
    this.#sink = undefined;
    this.#held = undefined;
  }

  start(overlapped: bigint): number {
    const memory = (this.#memory ??= this.#handle.library.memory(blockSize));
    const { library, queue, id } = this.#handle;
    return library.call("HttpReceiveRequestEntityBody", queue, id, 0, memory.address, blockSize, 0n, overlapped);
  }

  completed(code: number, bytes: number): void {
    this.#flying = false;
    if (this.#sink === undefined) return;
    if (code !== 0) {
      if (this.#paused && code === errorCode.ERROR_HANDLE_EOF) this.#heldEnd = code;
      else this.#finish(code);
      return;
    }
    const chunk = (this.#memory as Memory).buffer.subarray(0, bytes);
    if (this.#paused) this.#held = chunk;
    else this.#deliver(chunk);
    this.#pump();
  }

  #deliver(chunk: Uint8Array): void {
    // What the reader may keep is given away with its memory.
    if (chunk.length > 0 && this.#sink?.bytes(chunk) !== true) this.#memory = undefined;
  }

  #finish(code: number): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (code === errorCode.ERROR_HANDLE_EOF) sink?.end();
    else sink?.failed(code);
  }

  #pump(): void {
    if (this.#flying || this.#paused || this.#held !== undefined || this.#heldEnd !== undefined || this.#sink === undefined) return;
    this.#flying = true;
    this.#handle.completions.submit(this);
  }
}
