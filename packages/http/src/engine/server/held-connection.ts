/** A connection of the engine that stands still, so that another process can take it. */
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { HeldConnection } from "../../exchange.ts";

/** What a held connection asks of the one that it is. */
export interface HoldOwner {
  holdReleased(): void;
  holdLent(): void;
  holdCancelled(connection: "stays" | "closes"): void;
  /** Goes on where another process stopped; `bytes` is what that one read and did not use. */
  resumeWith(bytes: Buffer): void;
  letGo(how: "closed" | "reset"): void;
}

interface SocketHandle {
  readonly fd?: number;
  reading?: boolean;
  readStop?: () => number;
  readStart?: () => number;
}

const noBytes = Buffer.alloc(0);

export class EngineHeldConnection implements HeldConnection {
  readonly socket: Socket;
  head: Buffer;
  rest: Buffer;
  readonly bodyLength: number;
  readonly #owner: HoldOwner;
  #state: State = "held";

  constructor(owner: HoldOwner, socket: Socket, head: Buffer, rest: Buffer, bodyLength: number) {
    this.#owner = owner;
    this.socket = socket;
    this.head = head;
    this.rest = rest;
    this.bodyLength = bodyLength;
  }

  release(): void {
    if (this.#leave("held", "over")) this.#owner.holdReleased();
  }

  lend(): void {
    if (this.#leave("held", "lent")) this.#owner.holdLent();
  }

  cancel(connection: "stays" | "closes"): void {
    if (this.#leave("held", "over")) this.#owner.holdCancelled(connection);
  }

  takeBack(bytes: Buffer): void {
    if (this.#leave("lent", "over")) this.#owner.resumeWith(bytes);
  }

  letGo(): void {
    if (this.#leave("lent", "over")) this.#owner.letGo("closed");
  }

  reset(): void {
    if (this.#leave("lent", "over")) this.#owner.letGo("reset");
  }

  #leave(state: State, next: State): boolean {
    if (this.#state !== state) return false;
    this.#state = next;
    // It may be kept until the connection comes back.
    this.head = this.rest = noBytes;
    return true;
  }
}

type State = "held" | "lent" | "over";

/** Whether the socket is one of the system, in the clear, with nothing left to send: all that is known of it is in the kernel. */
export function canLeave(socket: unknown): socket is Socket {
  if (!(socket instanceof Socket) || socket instanceof TLSSocket || socket.destroyed || socket.writableEnded) return false;
  return socket.writableLength === 0 && fileDescriptorOf(socket) !== undefined;
}

/** The number that the system knows the socket by; undefined where there is none (Windows, a closed socket). */
export function fileDescriptorOf(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

/**
 * Stops reading before this returns and until `restartHandle`: `pause` alone lets a socket read once more, and its stream may start
 * again by itself to fill its buffer. Gives what was read and not delivered, or null.
 */
export function stopHandle(socket: Socket): Buffer | null {
  const handle = handleOf(socket);
  if (handle != null) {
    if (handle.reading === true) handle.readStop?.();
    handle.reading = false;
    handle.readStart = doNotRead;
  }
  return socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
}

/** Undoes `stopHandle`: reads on, whatever the stream believes; the socket is to be resumed besides. */
export function restartHandle(socket: Socket): void {
  const handle = handleOf(socket);
  if (handle?.readStart !== doNotRead) return;
  const { readStart } = Object.getPrototypeOf(handle) as SocketHandle;
  // Not deleted: the object would be a slow one from then on.
  handle.readStart = readStart as () => number;
  handle.reading = true;
  handle.readStart();
}

function doNotRead(): number {
  return 0;
}

/** Node documents no way to these two. */
function handleOf(socket: Socket): SocketHandle | null | undefined {
  return (socket as unknown as { readonly _handle?: SocketHandle | null })._handle;
}
