import type { Socket } from "node:net";

interface Copy {
  readonly id: number;
  readonly onClose: () => void;
}

/**
 * The connections of which the other process has a copy, each with the number that both sides know it by. `onClosed` is told when
 * this process's own copy of one was closed.
 */
export class SocketCopies {
  readonly #bySocket = new Map<Socket, Copy>();
  readonly #byId = new Map<number, Socket>();
  readonly #onClosed: (id: number) => void;
  #nextId = 1;

  constructor(onClosed: (id: number) => void) {
    this.#onClosed = onClosed;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The number of `socket`; undefined when the other process has no copy. */
  idOf(socket: Socket): number | undefined {
    return this.#bySocket.get(socket)?.id;
  }

  /** A number for `socket`, of which the other process gets a copy now. */
  add(socket: Socket): number {
    let id = this.#nextId;
    // Numbers come round after four thousand million: some are in use still.
    while (this.#byId.has(id)) id = following(id);
    this.#nextId = following(id);
    const onClose = (): void => {
      this.delete(id);
      this.#onClosed(id);
    };
    this.#byId.set(id, socket);
    this.#bySocket.set(socket, { id, onClose });
    socket.once("close", onClose);
    return id;
  }

  /** The other process has closed its copy. */
  delete(id: number): void {
    const socket = this.#byId.get(id);
    if (socket === undefined) return;
    const copy = this.#bySocket.get(socket);
    this.#byId.delete(id);
    if (copy?.id !== id) return;
    this.#bySocket.delete(socket);
    socket.off("close", copy.onClose);
  }

  clear(): void {
    for (const [socket, { onClose }] of this.#bySocket) socket.off("close", onClose);
    this.#bySocket.clear();
    this.#byId.clear();
  }
}

function following(id: number): number {
  return (id + 1) >>> 0 || 1;
}
