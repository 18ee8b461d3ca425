import type { BodySink } from "../../body.ts";
import { ExchangeStateError } from "../../errors.ts";
import type { Tunnel } from "../../exchange.ts";
import type { ClientOutput } from "./client-output.ts";
import type { InputBuffer } from "./input-buffer.ts";

/** What a tunnel asks of the connection that it runs over. */
export interface TunnelOwner {
  /** The tunnel takes bytes (again): `consume` will be called. */
  tunnelWanted(): void;
  tunnelEnded(): void;
  tunnelAborted(cause: Error): void;
}

/** A connection after its upgrade: bytes both ways. */
export class EngineTunnel implements Tunnel {
  readonly #owner: TunnelOwner;
  readonly #output: ClientOutput;
  #sink: BodySink | undefined;
  #started = false;
  #paused = false;
  #peerEnded = false;
  #ended = false;
  #lost: Error | undefined;
  #drain: (() => void) | undefined;
  #wantsDrain = false;
  #shutdown: (() => void) | undefined;
  #shuttingDown = false;

  constructor(owner: TunnelOwner, output: ClientOutput) {
    this.#owner = owner;
    this.#output = output;
  }

  read(sink: BodySink): void {
    if (this.#started) throw new ExchangeStateError("the tunnel is being read already");
    this.#started = true;
    if (this.#lost !== undefined) {
      sink.onError(this.#lost);
      return;
    }
    this.#sink = sink;
    this.#owner.tunnelWanted();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#sink !== undefined) this.#owner.tunnelWanted();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ended || this.#lost !== undefined || chunk.length === 0) return true;
    const room = this.#output.writeBytes(chunk);
    if (!room) this.#wantsDrain = true;
    return room;
  }

  get pending(): number {
    return this.#lost === undefined ? this.#output.unsent : 0;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    if (this.#ended || this.#lost !== undefined) return;
    this.#ended = true;
    this.#owner.tunnelEnded();
  }

  onShutdown(listener: () => void): void {
    if (this.#shuttingDown) listener();
    else this.#shutdown = listener;
  }

  abort(cause: Error): void {
    if (this.#lost === undefined) this.#owner.tunnelAborted(cause);
  }

  /** The server begins to close. */
  shutDown(): void {
    if (this.#shuttingDown) return;
    this.#shuttingDown = true;
    this.#shutdown?.();
  }

  /** Whether `consume` would use bytes. */
  get ready(): boolean {
    return this.#sink !== undefined && !this.#paused;
  }

  /** Hands over what the peer sent. */
  consume(input: InputBuffer): void {
    const { bytes, start, end } = input;
    if (end > start) {
      const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
      const chunk = input.lasting ? part : Buffer.from(part);
      input.clear();
      this.#sink?.onData(chunk);
    }
    if (this.#peerEnded && this.ready) this.#finish();
  }

  /** The peer has half-closed: told after what came before. */
  peerEnded(): void {
    this.#peerEnded = true;
    this.#owner.tunnelWanted();
  }

  drained(): void {
    if (!this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.#drain?.();
  }

  /** The connection is closed. `cause` counts when the peer had not ended before. */
  closed(cause: Error): void {
    if (this.#lost !== undefined) return;
    this.#lost = cause;
    const sink = this.#sink;
    this.#sink = undefined;
    this.#drain = undefined;
    sink?.onError(cause);
  }

  #finish(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(undefined);
  }
}
