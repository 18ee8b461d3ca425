import type { Socket } from "node:net";
import type { BodySink } from "../body.ts";
import type { Tunnel } from "../exchange.ts";
import { resetSocket } from "../reset-socket.ts";

/**
 * A tunnel over a socket that left HTTP. Owns the socket from here on: the tunnel is over when the socket is closed,
 * after both sides ended or one of them broke off. Never throws for what the peer does; calls after the end do nothing.
 */
export class SocketTunnel implements Tunnel {
  readonly #socket: Socket;
  #early: readonly Uint8Array[];
  #sink: BodySink | undefined;
  #paused = false;
  #peerEnded: boolean;
  #over = false;
  #error: Error | undefined;
  #drain: (() => void) | undefined;
  #shutdown: (() => void) | undefined;
  #shuttingDown = false;

  /** `early`: bytes read before the switch. `peerEnded`: the peer's FIN was seen already. */
  constructor(socket: Socket, early: readonly Uint8Array[], peerEnded = false) {
    this.#socket = socket;
    this.#early = early;
    this.#peerEnded = peerEnded;
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.on("end", () => {
      this.#peerEnded = true;
      if (this.#early.length === 0) this.#finish();
    });
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => this.#close());
    socket.on("drain", () => this.#drain?.());
  }

  get pending(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#socket.writable || chunk.length === 0) return true;
    return this.#socket.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  read(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error("a tunnel is read once");
    this.#sink = sink;
    this.#socket.on("data", (chunk: Buffer) => {
      this.#sink?.onData(chunk);
    });
    this.#paused = false;
    this.#socket.pause();
    this.#deliverEarly();
    if (this.#over) this.#settle();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#sink !== undefined) this.#deliverEarly();
  }

  end(): void {
    if (this.#socket.writable) this.#socket.end();
  }

  onShutdown(listener: () => void): void {
    if (this.#shuttingDown) listener();
    else this.#shutdown = listener;
  }

  /** The server begins to close. */
  shutDown(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#shutdown?.();
  }

  abort(cause: Error): void {
    this.#error ??= cause;
    resetSocket(this.#socket);
  }

  #deliverEarly(): void {
    while (this.#early.length > 0) {
      if (this.#paused) return;
      const [chunk, ...rest] = this.#early as [Uint8Array, ...Uint8Array[]];
      this.#early = rest;
      this.#sink?.onData(chunk);
    }
    if (this.#paused) return;
    if (this.#peerEnded) this.#finish();
    else this.#socket.resume();
  }

  #finish(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#over) return;
    this.#over = true;
    this.#sink = silent;
    sink.onEnd(undefined);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle();
  }

  /** Tells a reader, also one that comes late, that the connection is lost. */
  #settle(): void {
    const sink = this.#sink;
    if (sink === undefined || sink === silent) return;
    this.#sink = silent;
    if (this.#peerEnded && this.#error === undefined && this.#early.length === 0) sink.onEnd(undefined);
    else sink.onError(this.#error ?? new Error("the connection was closed"));
  }
}

const silent: BodySink = { onData: () => true, onEnd: () => undefined, onError: () => undefined };
