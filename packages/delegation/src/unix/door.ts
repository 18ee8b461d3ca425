import { connect, type Socket } from "node:net";
import { fileDescriptorOf } from "@proxy/http";
import { DelegationError } from "../errors.ts";
import { FrameReader, type FrameListener } from "./frames.ts";

const readSize = 65_536;

/** The gateway's end of an ordinary connection to the other process, over which frames go. Its fields are to be set before a turn is over. */
export class Door {
  /** It is connected: the number of its descriptor. */
  onOpen: (fd: number) => void = () => undefined;
  /** A throw closes the door. */
  onFrame: FrameListener = () => undefined;
  /** Told once, by whatever it ended; not after `close`. */
  onLost: (cause: DelegationError) => void = () => undefined;
  readonly #path: string;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
    // Of its own: what is read is used before the next read, and the socket allocates nothing.
    const memory = Buffer.allocUnsafeSlow(readSize);
    const callback = (count: number): boolean => {
      this.#read(memory.subarray(0, count));
      return true;
    };
    this.#socket = connect({ path, onread: { buffer: memory, callback } });
    this.#socket.on("connect", () => this.onOpen(fileDescriptorOf(this.#socket) ?? -1));
    this.#socket.on("error", (error) => this.#lost(connectionError(path, error)));
    this.#socket.on("close", () => this.#lost(new DelegationError("GONE", `the process at '${path}' has gone`)));
  }

  /** Bytes that the other process has not read and the system does not hold. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  write(frame: Buffer): void {
    if (!this.#isClosed) this.#socket.write(frame);
  }

  /** The other side is known: frames may be long, and the process may end although the door is open. */
  trust(): void {
    this.#frames.trust();
    this.#socket.unref();
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#frames.read(chunk, this.#take);
    } catch (cause) {
      this.#lost(new DelegationError("FAILED", `the process at '${this.#path}' says what cannot be understood`, { cause }));
    }
  }

  readonly #take: FrameListener = (kind, id, payload) => {
    if (!this.#isClosed) this.onFrame(kind, id, payload);
  };

  #lost(cause: DelegationError): void {
    if (this.#isClosed) return;
    this.close();
    this.onLost(cause);
  }
}

/** Why a connection to `path` could not be made, or broke. */
export function connectionError(path: string, cause: Error): DelegationError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ECONNREFUSED") return new DelegationError("NOT_FOUND", `nobody listens at '${path}'`, { cause });
  if (code === "EACCES" || code === "EPERM") return new DelegationError("REFUSED", `no permission to connect to '${path}'`, { cause });
  return new DelegationError("GONE", `the connection to '${path}' failed: ${cause.message}`, { cause });
}
