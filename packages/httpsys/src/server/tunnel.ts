import { ClientGoneError, ExchangeStateError, type BodySink, type ResponseHead, type Tunnel } from "@proxy/http";
import { EntityReader } from "./entity-reader.ts";
import type { RequestHandle } from "./request-call.ts";
import { checkLine } from "./response.ts";
import { Sender, type SenderOwner } from "./sender.ts";

export interface TunnelOwner {
  readonly bufferSize: number;
  /** Cut the connection. */
  cut(): void;
}

/**
 * A connection in opaque mode, after a 101. HTTP.sys ends a connection as a whole: `end` sends what was written, then closes both
 * ways.
 */
export class HttpSysTunnel implements Tunnel, SenderOwner {
  readonly #owner: TunnelOwner;
  readonly #reader: EntityReader;
  readonly #sender: Sender;
  #sink: BodySink | undefined;
  #read = false;
  #open = false;
  #error: Error | undefined;
  #lost = false;
  #ended = false;
  #needDrain = false;
  #drain: (() => void) | undefined;
  #shutdown: (() => void) | undefined;
  #shuttingDown = false;

  constructor(handle: RequestHandle, head: ResponseHead, owner: TunnelOwner) {
    this.#owner = owner;
    this.#reader = new EntityReader(handle);
    this.#sender = new Sender(handle, this, true);
    const lines = ["Connection", "Upgrade"];
    for (let i = 0; i < head.headers.size; i++) {
      if (framing.has(head.headers.keyAt(i))) continue;
      lines.push(head.headers.nameAt(i), head.headers.valueAt(i));
    }
    this.#sender.head({ status: 101, reason: "Switching Protocols", headers: lines, opaque: true });
    this.#sender.flushSoon();
  }

  get pending(): number {
    return this.#lost ? 0 : this.#sender.pending;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#lost || this.#ended || chunk.length === 0) return true;
    this.#sender.add(chunk);
    this.#sender.flushSoon();
    if (this.#sender.pending < this.#owner.bufferSize) return true;
    this.#needDrain = true;
    return false;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  read(sink: BodySink): void {
    if (this.#read) throw new ExchangeStateError("a tunnel is read once");
    this.#read = true;
    if (this.#lost) {
      sink.onError(this.#error ?? new ClientGoneError("the connection was closed"));
      return;
    }
    this.#sink = sink;
    if (this.#open) this.#startReading();
  }

  #startReading(): void {
    this.#reader.read({
      bytes: (chunk) => this.#sink?.onData(chunk),
      end: () => this.#takeSink()?.onEnd(undefined),
      failed: () => this.lost(new ClientGoneError("the client left")),
    });
  }

  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  end(): void {
    if (this.#lost || this.#ended) return;
    this.#ended = true;
    this.#sender.end(true);
    this.#sender.flush();
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
    if (this.#lost) return;
    this.#error ??= cause;
    this.#owner.cut();
  }

  /** The connection is no more. */
  lost(cause: Error): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#error ??= cause;
    this.#reader.stop();
    this.#sender.stop();
    this.#takeSink()?.onError(this.#error);
    if (this.#needDrain) this.#drain?.();
  }

  sent(): void {
    if (!this.#open) {
      // The 101 has left: only now is what comes no longer HTTP.
      this.#open = true;
      if (this.#sink !== undefined) this.#startReading();
    }
    if (!this.#needDrain || this.#sender.pending > 0) return;
    this.#needDrain = false;
    this.#drain?.();
  }

  finished(): void {}

  failed(): void {
    this.lost(new ClientGoneError("the client left"));
  }

  #takeSink(): BodySink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    return sink;
  }
}

/** Checks the head of an upgrade before anything of it is done. */
export function checkUpgradeHead({ headers }: ResponseHead): void {
  for (let i = 0; i < headers.size; i++) checkLine(headers.nameAt(i), headers.valueAt(i));
}

const framing: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding", "content-length"]);
