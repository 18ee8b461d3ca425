import type { Socket } from "node:net";
import type { BodySink, Tunnel } from "@proxy/http";

/** A connection that left HTTP, as a tunnel. Owns the socket: every late error ends here. */
export class SocketTunnel implements Tunnel {
  readonly #socket: Socket;
  #sink: BodySink | undefined;
  #over = false;
  #drain: (() => void) | undefined;
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    // undici lets go of idle sockets; a tunnel holds the process.
    socket.ref();
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => this.#onError(this.#error ?? new Error("the connection closed")));
    socket.on("drain", () => this.#drain?.());
  }

  get pending(): number {
    return this.#socket.writableLength;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    return this.#socket.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  read(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error("the tunnel is read already");
    this.#sink = sink;
    if (this.#error !== undefined) {
      this.#onError(this.#error);
      return;
    }
    this.#socket.on("data", (chunk: Buffer) => {
      if (!this.#over) sink.onData(chunk);
    });
    this.#socket.on("end", () => {
      if (this.#over) return;
      this.#over = true;
      sink.onEnd(undefined);
    });
    this.#socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  abort(cause: Error): void {
    this.#over = true;
    this.#error = cause;
    this.#socket.destroy();
  }

  #onError(error: Error): void {
    this.#error ??= error;
    if (this.#over || this.#sink === undefined) return;
    this.#over = true;
    this.#sink.onError(this.#error);
  }
}
