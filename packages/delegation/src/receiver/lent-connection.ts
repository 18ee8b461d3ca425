import type { AddressInfo, Socket } from "node:net";
import { Duplex } from "node:stream";
import { ChunkedDecoder, restartHandle, stopHandle, type ConnectionLender } from "@proxy/http";
import type { HandOver } from "../unix/frames.ts";

/** How long a connection is read after its last answer, so that no reset destroys that. */
const lingerTime = 5000;
const trailerLimits = { maxTrailersSize: 32_768, maxTrailerCount: 100 };

/**
 * A client's connection as a server of `node:http` sees it: one request and nothing behind it. What comes after the end of the
 * request's body is kept for the gateway. What servers and their handlers ask of a socket besides bytes is here too, as they do not ask
 * whether it is: addresses, time-outs, options. After the connection went back all that does nothing.
 */
export class LentConnection extends Duplex {
  readonly #socket: Socket;
  readonly #lender: ConnectionLender;
  #remaining: number;
  #decoder: ChunkedDecoder | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #gone = false;

  constructor(socket: Socket, { head, rest, bodyLength }: Pick<HandOver, "head" | "rest" | "bodyLength">, lender: ConnectionLender) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#lender = lender;
    this.#remaining = Math.max(0, bodyLength);
    this.#decoder = bodyLength < 0 ? new ChunkedDecoder(trailerLimits) : undefined;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    socket.on("timeout", this.#onTimeout);
    this.push(head);
    if (rest.length > 0) this.#came(rest);
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  address(): AddressInfo | Readonly<Record<string, never>> {
    return this.#socket.address();
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get connecting(): boolean {
    return false;
  }

  get pending(): boolean {
    return false;
  }

  get timeout(): number | undefined {
    return this.#gone ? undefined : this.#socket.timeout;
  }

  /** Emits `timeout` after so many milliseconds without a byte either way; 0: never. */
  setTimeout(timeout: number, listener?: () => void): this {
    if (listener !== undefined && timeout === 0) this.off("timeout", listener);
    else if (listener !== undefined) this.once("timeout", listener);
    if (!this.#gone) this.#socket.setTimeout(timeout);
    return this;
  }

  setNoDelay(noDelay?: boolean): this {
    if (!this.#gone) this.#socket.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    if (!this.#gone) this.#socket.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    if (!this.#gone) this.#socket.ref();
    return this;
  }

  unref(): this {
    if (!this.#gone) this.#socket.unref();
    return this;
  }

  resetAndDestroy(): this {
    if (!this.#gone) this.#socket.resetAndDestroy();
    return this;
  }

  get #isComplete(): boolean {
    return this.#remaining === 0 && this.#decoder === undefined;
  }

  /** The response is out: back to the gateway. When the request is not over, or the gateway cannot take it, the connection ends. */
  giveBack(isComplete: boolean): void {
    if (this.#gone || this.destroyed || !isComplete || !this.#isComplete || this.#socket.writableLength > 0) return this.#finish();
    const socket = this.#socket;
    socket.pause();
    const late = stopHandle(socket);
    if (late !== null) this.#came(late);
    if (this.#lender.giveBack(socket, this.#rest, !socket.readableEnded) !== "taken") {
      restartHandle(socket);
      return this.#finish();
    }
    this.#gone = true;
    // That of the server, for connections that wait for their next request: it is the gateway's time now.
    socket.setTimeout(0);
    // A late error finds the listener of `BorrowedConnection`, which has the socket as long as it is open.
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    socket.off("timeout", this.#onTimeout);
    this.destroy();
  }

  readonly #onData = (chunk: Buffer): void => this.#came(chunk);

  readonly #onEnd = (): void => {
    if (!this.#gone) this.push(null);
  };

  readonly #onError = (error: Error): void => {
    if (!this.#gone) this.destroy(error);
  };

  readonly #onClose = (): void => {
    if (!this.#gone) this.destroy();
  };

  readonly #onTimeout = (): void => {
    if (!this.#gone) this.emit("timeout");
  };

  /** No next request can be shown here: the connection ends after this answer. */
  #finish(): void {
    if (!this.#gone && !this.destroyed) this.end();
  }

  override _read(): void {
    if (!this.#gone) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#gone) return done();
    const socket = this.#socket;
    socket.end();
    socket.resume();
    const limit = setTimeout(() => socket.destroy(), lingerTime);
    limit.unref();
    socket.once("close", () => clearTimeout(limit));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#gone && (error !== null || !this.writableFinished)) this.#socket.destroy();
    done(error);
  }

  /** Shows the server what belongs to the request and keeps the rest. */
  #came(chunk: Buffer): void {
    if (this.#gone) return;
    const end = this.#endOfBody(chunk);
    if (end < chunk.length) {
      this.#rest = this.#rest.length === 0 ? Buffer.from(chunk.subarray(end)) : Buffer.concat([this.#rest, chunk.subarray(end)]);
      if (this.#rest.length > maximumRest) this.#socket.pause();
    }
    if (end > 0 && !this.push(chunk.subarray(0, end))) this.#socket.pause();
  }

  #endOfBody(chunk: Buffer): number {
    if (this.#decoder === undefined) {
      const taken = Math.min(this.#remaining, chunk.length);
      this.#remaining -= taken;
      return taken;
    }
    let place = 0;
    for (;;) {
      const event = this.#decoder.next(chunk, place, chunk.length);
      place = this.#decoder.position;
      if (event === "data") continue;
      if (event === "end") {
        this.#decoder = undefined;
        return place;
      }
      // More to come; or nonsense, which is shown to the server as it is, and the connection never goes back.
      return chunk.length;
    }
  }
}

/** Of what a client sends ahead of its turn. */
const maximumRest = 65_536;
