/**
 * Where the ends of overlapped calls come from: one completion port for all queues of a library, with one thread that waits at
 * it. A call that is pending is held here, and with it every buffer that it refers to, until its end was told.
 */
import { errorCode, flag } from "./abi/constants.ts";
import type { HttpSysLibrary, Memory } from "./binding.ts";
import { HttpSysError } from "./errors.ts";
import type { QueueHandle } from "./handles.ts";

/** An overlapped call. It refers to all memory that native code uses until it is completed. */
export interface PendingCall {
  /** Issues the call; returns its code. */
  start(overlapped: bigint): number;
  /** Told once, never from inside `submit`. `code` is a Windows error code. Must not throw. */
  completed(code: number, bytes: number): void;
}

export interface CompletionSource {
  /** Ties the overlapped calls on a queue to this source. */
  attach(queue: QueueHandle): void;
  submit(call: PendingCall): void;
  /** Calls that have not ended. */
  readonly pending: number;
  /** One user less; the last one ends the waiting, once no call is pending any more. */
  release(): void;
}

const entrySize = 32;
const mostEntries = 64;
const noFile = 0xffff_ffff_ffff_ffffn;
const forever = 0xffff_ffff;

const sources = new WeakMap<HttpSysLibrary, PortCompletions>();

/** The source of `library`, shared by all who ask for it; each releases it once. */
export function completionsOf(library: HttpSysLibrary): CompletionSource {
  let source = sources.get(library);
  if (source === undefined || source.closing) {
    source = new PortCompletions(library);
    sources.set(library, source);
  }
  source.users++;
  return source;
}

interface Held {
  readonly overlapped: Memory;
  readonly call: PendingCall;
}

class PortCompletions implements CompletionSource {
  users = 0;
  closing = false;
  readonly #library: HttpSysLibrary;
  readonly #port: bigint;
  readonly #held = new Map<bigint, Held>();
  readonly #free: Memory[] = [];
  /** Of calls that ended at once with an error, before the wait under way began and since: should a packet come for one all the same, it is nobody else's. */
  readonly #rested: Memory[] = [];
  readonly #resting: Memory[] = [];
  readonly #entries: Memory;
  readonly #removed: Memory;
  #woken = false;

  constructor(library: HttpSysLibrary) {
    this.#library = library;
    this.#entries = library.memory(entrySize * mostEntries);
    this.#removed = library.memory(8);
    this.#port = BigInt(library.system("CreateIoCompletionPort", noFile, 0n, 0, 0));
    if (this.#port === 0n) throw new HttpSysError("CreateIoCompletionPort", errorCode.ERROR_NO_SYSTEM_RESOURCES);
    // A thread that waits for ever would keep the process from ending.
    process.on("exit", this.#wake);
    this.#wait();
  }

  get pending(): number {
    return this.#held.size;
  }

  attach(queue: QueueHandle): void {
    if (BigInt(this.#library.system("CreateIoCompletionPort", queue, this.#port, 0, 0)) === 0n) {
      throw new HttpSysError("CreateIoCompletionPort", errorCode.ERROR_INVALID_HANDLE);
    }
    const modes = flag.FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | flag.FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (this.#library.system("SetFileCompletionNotificationModes", queue, modes) === 0) {
      throw new HttpSysError("SetFileCompletionNotificationModes", errorCode.ERROR_INVALID_HANDLE);
    }
  }

  submit(call: PendingCall): void {
    const overlapped = this.#free.pop() ?? this.#library.memory(32);
    overlapped.buffer.fill(0);
    this.#held.set(overlapped.address, { overlapped, call });
    const code = call.start(overlapped.address);
    if (code === errorCode.ERROR_IO_PENDING) return;
    // Ended at once: with success no packet follows, as the queue was attached so. After an error there is none either, unless the system counts it as a
    // warning, as 234 (MORE_DATA) is one.
    const bytes = code === 0 ? Number(overlapped.buffer.readBigUInt64LE(8)) : 0;
    queueMicrotask(() => this.#end(overlapped.address, code, bytes, code === 0 ? this.#free : this.#resting));
  }

  release(): void {
    if (--this.users > 0) return;
    this.closing = true;
    this.#wake();
  }

  readonly #wake = (): void => {
    if (this.#woken) return;
    this.#woken = true;
    this.#library.system("PostQueuedCompletionStatus", this.#port, 0, 0, 0n);
  };

  #wait(): void {
    // A wait that fails writes nothing: what the one before told must not be taken for its own.
    this.#removed.buffer.writeUInt32LE(0, 0);
    this.#library.wait(this.#port, this.#entries, mostEntries, this.#removed, forever, () => this.#arrived());
  }

  #arrived(): void {
    const { buffer } = this.#entries;
    const count = this.#removed.buffer.readUInt32LE(0);
    for (let i = 0; i < count; i++) {
      const at = i * entrySize;
      const address = buffer.readBigUInt64LE(at + 8);
      if (address === 0n) {
        this.#woken = false;
        continue;
      }
      const status = Number(buffer.readBigUInt64LE(at + 16) & 0xffff_ffffn);
      const code = status === 0 ? 0 : Number(this.#library.system("RtlNtStatusToDosError", status));
      this.#end(address, code, buffer.readUInt32LE(at + 24), this.#free);
    }
    // Nothing is left of what was in the port when this wait began.
    if (count < mostEntries) this.#free.push(...this.#rested.splice(0));
    this.#rested.push(...this.#resting.splice(0));
    if (!this.closing || this.#held.size > 0) {
      this.#wait();
      return;
    }
    process.off("exit", this.#wake);
    this.#library.system("CloseHandle", this.#port);
  }

  #end(address: bigint, code: number, bytes: number, memories: Memory[]): void {
    const held = this.#held.get(address);
    if (held === undefined) return;
    this.#held.delete(address);
    memories.push(held.overlapped);
    held.call.completed(code, bytes);
    if (this.closing && this.#held.size === 0) this.#wake();
  }
}
