import type { Socket } from "node:net";

/** Most bytes kept of a client that speaks before its upgrade was answered; then it is held back. */
const maximumEarly = 65_536;

/**
 * Reads a socket that asked for an upgrade until somebody takes it: so its leaving is noticed, and what it says early is
 * kept in order.
 */
export class UpgradeIntake {
  readonly #socket: Socket;
  readonly #early: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #closed = false;

  constructor(socket: Socket, head: Uint8Array) {
    this.#socket = socket;
    if (head.length > 0) this.#onData(head);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
  }

  /** Bytes that came, and whether the client's FIN did. The socket is paused. */
  take(): { readonly early: readonly Uint8Array[]; readonly peerEnded: boolean } {
    this.#closed = true;
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onEnd);
    this.#socket.pause();
    return { early: this.#early, peerEnded: this.#ended };
  }

  /** The upgrade was declined: what the client says is dropped. */
  drop(): void {
    this.#closed = true;
    this.#early.length = 0;
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#closed) return;
    this.#early.push(chunk);
    this.#size += chunk.length;
    if (this.#size > maximumEarly) this.#socket.pause();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
  };
}
