import type { OnReadOpts, Socket } from "node:net";
import { openSocket, type OpenSocketOptions, type SocketListener, type SocketOpening } from "../../client/open-socket.ts";
import { readBuffers } from "../../read-buffers.ts";

/**
 * A connection whose protocol shows only when it is open: what its socket tells goes to whoever has it, first the one that
 * opened it and perhaps another one later. Nothing is handed on before "connect", with TLS "secureConnect", so nothing is read
 * before it is known for whom.
 */
export class NegotiatedSocket implements SocketListener, SocketOpening {
  readonly #opening: SocketOpening;
  #listener: SocketListener;
  #reads: OnReadOpts | undefined;
  #socket: Socket | undefined;

  constructor(options: Omit<OpenSocketOptions, "onread">, listener: SocketListener) {
    this.#listener = listener;
    const onread: OnReadOpts = {
      buffer: () => this.#buffer(),
      callback: (count, buffer) => this.#reads?.callback(count, buffer) ?? true,
    };
    this.#opening = openSocket({ ...options, onread }, this);
  }

  /** The open socket is `listener`'s from now on, who reads it by `reads`. */
  give(listener: SocketListener, reads: OnReadOpts | undefined): SocketOpening {
    this.#listener = listener;
    this.#reads = reads;
    return this;
  }

  destroy(): void {
    if (this.#socket === undefined) this.#opening.destroy();
    else this.#socket.destroy();
  }

  socketOpened(socket: Socket): void {
    this.#socket = socket;
    this.#listener.socketOpened(socket);
  }

  socketFailed(error: Error): void {
    this.#listener.socketFailed(error);
  }

  socketClosed(): void {
    this.#listener.socketClosed();
  }

  socketSession(session: Buffer): void {
    this.#listener.socketSession(session);
  }

  /** Node asks once when the socket is made, and after each read: then undefined is the same buffer again. */
  #buffer(): Uint8Array {
    const buffer = this.#reads?.buffer;
    if (this.#reads === undefined) return readBuffers.shared;
    return typeof buffer === "function" ? buffer() : (buffer as Uint8Array);
  }
}
