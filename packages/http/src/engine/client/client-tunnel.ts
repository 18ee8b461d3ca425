import type { Socket } from "node:net";
import type { BodySink } from "../../body.ts";
import type { Tunnel } from "../../exchange.ts";
import { resetSocket } from "../../reset-socket.ts";

/**
 * The connection after 101, or after 2xx to CONNECT: bytes both ways. Nothing is read from the socket before
 * `read` was called or while paused, but for what had come already.
 */
export class ClientTunnel implements Tunnel {
  readonly #socket: Socket;
  #sink: BodySink | undefined;
  #held: Buffer | undefined;
  #paused = false;
  #ended = false;
  #delivering = false;
  #error: Error | undefined;
  #over = false;
  #drain: (() => void) | undefined;

  /** `early`: bytes that came together with the head, or undefined. */
  constructor(socket: Socket, early: Buffer | undefined) {
    this.#socket = socket;
    this.#held = early;
  }

  get pending(): number {
    return this.#socket.writableLength;
  }

  /** Whether bytes are wanted from the socket. */
  get flowing(): boolean {
    return this.#sink !== undefined && !this.#paused && !this.#over;
  }

  read(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error("the tunnel is being read already");
    this.#sink = sink;
    this.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#sink !== undefined) this.#deliver();
  }

  write(chunk: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    socket.write(chunk);
    return !(socket.writableNeedDrain && socket.writableLength > 0);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    if (!this.#socket.writableEnded && !this.#socket.destroyed) this.#socket.end();
  }

  abort(_cause: Error): void {
    this.#over = true;
    this.#held = undefined;
    // A reset, so that the destination does not take what it got for all there was.
    resetSocket(this.#socket);
  }

  /** Bytes from the socket, which uses their memory again. False: stop reading. */
  receive(bytes: Buffer, count: number): boolean {
    if (this.#over) return false;
    const chunk = Buffer.allocUnsafe(count);
    bytes.copy(chunk, 0, 0, count);
    if (this.#sink === undefined || this.#paused || this.#held !== undefined || this.#delivering) {
      this.#held = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
      return false;
    }
    this.#tell(chunk);
    return !this.#paused;
  }

  receiveEnd(): void {
    this.#ended = true;
    if (this.#sink !== undefined) this.#deliver();
  }

  /** The connection is gone. */
  lost(error: Error): void {
    if (this.#ended && this.#held === undefined) return;
    this.#error ??= error;
    this.#held = undefined;
    if (this.#sink !== undefined) this.#deliver();
  }

  drained(): void {
    try {
      this.#drain?.();
    } catch (error) {
      this.abort(error as Error);
    }
  }

  #deliver(): void {
    if (this.#delivering || this.#over) return;
    this.#delivering = true;
    while (this.#held !== undefined && !this.#paused && !this.#over) {
      const chunk = this.#held;
      this.#held = undefined;
      this.#tell(chunk);
    }
    this.#delivering = false;
    if (this.#over) return;
    if (this.#error !== undefined) this.#finish();
    else if (!this.#paused && this.#held === undefined) {
      if (this.#ended) this.#finish();
      else this.#socket.resume();
    }
  }

  #tell(chunk: Buffer): void {
    try {
      this.#sink?.onData(chunk);
    } catch (error) {
      this.abort(error as Error);
    }
  }

  #finish(): void {
    this.#over = true;
    try {
      if (this.#error === undefined) this.#sink?.onEnd(undefined);
      else this.#sink?.onError(this.#error);
    } catch {
      this.#socket.destroy();
    }
  }
}
