/** The streams that one client has opened, and what is known of them beyond their frames: whose end was taken, who is to be told of a loss. */
import type { BadRequestError } from "../../errors.ts";
import type { ConnectionInfo } from "../../exchange.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { ConnectionStreams } from "./connection-streams.ts";
import type { Http2ExchangeOwner } from "./exchange.ts";
import { defaultFloodLimits } from "./flood-guard.ts";
import { errorCode } from "./frames.ts";
import type { Http2Context } from "./http2-context.ts";
import type { Output } from "./output.ts";
import type { Http2Stream, StreamListener } from "./stream.ts";

/** Bytes of all bodies of a connection that may be on their way. */
export const connectionWindow = 1_048_576;

/** The exchange, or tunnel, that a stream of a client carries. */
export interface ServerStreamListener extends StreamListener {
  /** The system has taken the last byte of our side. */
  sent(): void;
  /** The client reset the stream, or did something that ends it, or the connection is lost. */
  lost(cause: Error): void;
  /** Looks at what should have happened by now; `time` and `elapsed` are in milliseconds. */
  watch(time: number, elapsed: number): void;
  /** The server begins to close. */
  shutDown(): void;
}

export type ServerStream = Http2Stream<ServerStreamListener>;

/** What streams ask of their connection. */
export interface StreamsOwner {
  readonly info: ConnectionInfo;
  readonly serverClosing: boolean;
  /** The connection ends with this GOAWAY. */
  connectionFault(code: number, message: string): void;
  /** No stream is left. */
  emptied(): void;
}

export class ServerStreams extends ConnectionStreams<ServerStreamListener> implements Http2ExchangeOwner {
  readonly limits: ServerLimits;
  readonly #context: Http2Context;
  readonly #owner: StreamsOwner;
  /** Streams whose end was written and not yet taken by the system. */
  readonly #ended: ServerStream[] = [];

  constructor(owner: StreamsOwner, context: Http2Context, output: Output) {
    const { limits, wheel } = context;
    super({ output, window: connectionWindow, maximumQueued: limits.maxResponseBufferSize, now: () => wheel.time, floods: defaultFloodLimits });
    this.#owner = owner;
    this.#context = context;
    this.limits = limits;
  }

  get info(): ConnectionInfo {
    return this.#owner.info;
  }

  get serverClosing(): boolean {
    return this.#owner.serverClosing;
  }

  /** Nothing is under way, and all that was answered has left. */
  get empty(): boolean {
    return this.table.open.size === 0 && this.#ended.length === 0;
  }

  /** Answers that the system has not taken. */
  get untaken(): number {
    return this.#ended.length;
  }

  override connectionFault(code: number, message: string): void {
    this.#owner.connectionFault(code, message);
  }

  // -- What streams and exchanges ask

  override endWritten(stream: ServerStream): void {
    stream.endPosition = this.output.position;
    this.#ended.push(stream);
  }

  override closed(stream: ServerStream): void {
    this.table.open.delete(stream.id);
    if (this.empty) this.#owner.emptied();
  }

  mayTunnel(): boolean {
    const { budget, limits } = this.#context;
    return budget.upgraded < (limits.maxConcurrentUpgradedConnections ?? Infinity);
  }

  tunnelOpened(): void {
    this.#context.budget.takeUpgraded();
  }

  tunnelClosed(): void {
    this.#context.budget.freeUpgraded();
  }

  malformed(stream: ServerStream, error: BadRequestError): void {
    this.endWrong(stream, errorCode.protocolError, error);
  }

  guard(stream: ServerStream, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.listenerFailed(stream, error);
    }
  }

  override listenerFailed(stream: ServerStream, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error("a value that is no error was thrown", { cause: thrown });
    this.#context.onFault(error, this.info.id);
    if (stream.closed) return;
    stream.reset(errorCode.internalError);
    this.guard(stream, () => stream.listener.lost(error));
  }

  // -- What frames do

  /** A stream was reset because of its client. */
  countReset(): void {
    if (!this.floods.reset()) this.calm("too many streams are reset");
  }

  /** The client did wrong on one stream, which ends it. */
  endWrong(stream: ServerStream, code: number, error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
    stream.reset(code);
    this.guard(stream, () => stream.listener.lost(error));
    this.countReset();
  }

  /** Resets a stream that was not opened; what follows on it is ignored. */
  resetUnopened(id: number, code: number): void {
    this.writer.reset(id, code);
    this.table.rememberReset(id);
  }

  // -- What the connection tells

  override taken(position: number): void {
    const ended = this.#ended;
    let count = 0;
    while (count < ended.length && (ended[count] as ServerStream).endPosition <= position) count++;
    if (count > 0) {
      for (const stream of ended.splice(0, count)) this.guard(stream, () => stream.listener.sent());
      if (this.empty) this.#owner.emptied();
    }
    super.taken(position);
  }

  /** All streams are lost with their connection. */
  lost(cause: Error): void {
    const streams = [...this.table.open.values(), ...this.#ended.splice(0)];
    for (const stream of streams) {
      stream.cut();
      this.guard(stream, () => stream.listener.lost(cause));
    }
  }

  /** A look at the time. */
  watch(time: number, elapsed: number): void {
    for (const stream of this.table.open.values()) this.guard(stream, () => stream.listener.watch(time, elapsed));
  }

  /** The server begins to close. */
  shutDown(): void {
    for (const stream of this.table.open.values()) this.guard(stream, () => stream.listener.shutDown());
  }
}
