/**
 * The streams of one connection, and what they share (RFC 9113, 5): both windows of the connection, the turns in which they send, the
 * output, and the count of what a client does wrong.
 */
import type { BadRequestError } from "../../errors.ts";
import type { ConnectionInfo } from "../../exchange.ts";
import type { ServerLimits } from "../../server-limits.ts";
import type { Http2ExchangeOwner } from "./exchange.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FrameWriter } from "./frame-writer.ts";
import { errorCode, minimumMaxFrameSize } from "./frames.ts";
import type { Http2Context } from "./http2-context.ts";
import type { Output } from "./output.ts";
import { initialWindow, maximumWindow } from "./peer-settings.ts";
import { SendTurns } from "./send-turns.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Bytes of all bodies of a connection that may be on their way. */
export const connectionWindow = 1_048_576;
/** Bytes that the system has not taken: from here on bodies wait. */
const maximumUnsent = 131_072;

/** What streams ask of their connection. */
export interface StreamsOwner {
  readonly info: ConnectionInfo;
  readonly serverClosing: boolean;
  /** The connection ends with this GOAWAY. */
  connectionFault(code: number, message: string): void;
  /** A reader, or a listener, has thrown. */
  broken(error: unknown): void;
  /** No stream is left. */
  emptied(): void;
}

export class ConnectionStreams implements Http2ExchangeOwner {
  readonly table = new StreamTable();
  readonly writer: FrameWriter;
  readonly limits: ServerLimits;
  readonly maximumQueued: number;
  readonly floods: FloodGuard;
  sendWindow = initialWindow;
  readonly #context: Http2Context;
  readonly #owner: StreamsOwner;
  readonly #output: Output;
  readonly #turns = new SendTurns();
  /** Streams whose end was written and not yet taken by the system. */
  readonly #ended: Http2Stream[] = [];
  #receiveWindow = connectionWindow;
  /** Bytes that were used and not yet given back. */
  #used = 0;
  #pumping = false;

  constructor(owner: StreamsOwner, context: Http2Context, output: Output) {
    const { limits, wheel } = context;
    this.#owner = owner;
    this.#context = context;
    this.#output = output;
    this.limits = limits;
    this.maximumQueued = limits.maxResponseBufferSize;
    this.writer = new FrameWriter(output);
    this.floods = new FloodGuard(() => wheel.time);
  }

  get info(): ConnectionInfo {
    return this.#owner.info;
  }

  get serverClosing(): boolean {
    return this.#owner.serverClosing;
  }

  get windowClosed(): boolean {
    return this.#receiveWindow < minimumMaxFrameSize;
  }

  /** Nothing is under way, and all that was answered has left. */
  get empty(): boolean {
    return this.table.open.size === 0 && this.#ended.length === 0;
  }

  /** Answers that the system has not taken. */
  get untaken(): number {
    return this.#ended.length;
  }

  // -- What streams and exchanges ask

  mayWrite(): boolean {
    return this.#turns.empty && this.#output.unsent < maximumUnsent;
  }

  awaitTurn(stream: Http2Stream): void {
    this.#turns.add(stream);
  }

  endWritten(stream: Http2Stream): void {
    stream.endPosition = this.#output.position;
    this.#ended.push(stream);
  }

  closed(stream: Http2Stream): void {
    this.table.open.delete(stream.id);
    if (this.empty) this.#owner.emptied();
  }

  resetWritten(stream: Http2Stream): void {
    if (!stream.remoteClosed) this.table.rememberReset(stream.id);
  }

  credit(count: number): void {
    this.#used += count;
    if (this.#used < connectionWindow / 2) return;
    this.#receiveWindow += this.#used;
    this.writer.windowUpdate(0, this.#used);
    this.#used = 0;
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

  malformed(stream: Http2Stream, error: BadRequestError): void {
    this.endWrong(stream, errorCode.protocolError, error);
  }

  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#owner.broken(error);
    }
  }

  // -- What frames do

  /** DATA of `length` bytes comes. False: more than the window of the connection. */
  receive(length: number): boolean {
    if (length > this.#receiveWindow) return false;
    this.#receiveWindow -= length;
    return true;
  }

  /** The client takes `increment` bytes more on all streams together. False: more than can be. */
  widen(increment: number): boolean {
    this.sendWindow += increment;
    if (this.sendWindow > maximumWindow) return false;
    this.#pump();
    return true;
  }

  /** The client takes `increment` bytes more on one stream. False: more than can be. */
  widenStream(stream: Http2Stream, increment: number): boolean {
    if (stream.sendWindow + increment > maximumWindow) return false;
    stream.sendWindow += increment;
    if (stream.ready) this.#turns.add(stream);
    this.#pump();
    return true;
  }

  /** The windows of all streams change by what the first one did (RFC 9113, 6.9.2). False: beyond what can be. */
  changeWindows(change: number): boolean {
    for (const stream of this.table.open.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maximumWindow) return false;
      if (stream.ready) this.#turns.add(stream);
    }
    this.#pump();
    return true;
  }

  /** A frame of `size` bytes changes nothing. */
  nothing(size: number): void {
    if (!this.floods.idleFrame(size, this.#output.position)) this.calm("too many frames that carry nothing");
  }

  /** A stream was reset because of its client. */
  countReset(): void {
    if (!this.floods.reset()) this.calm("too many streams are reset");
  }

  /** The client did wrong on one stream, which ends it. */
  endWrong(stream: Http2Stream, code: number, error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
    stream.reset(code);
    stream.listener.lost(error);
    this.countReset();
  }

  /** The connection ends for what the client does too often. */
  calm(reason: string): void {
    this.#owner.connectionFault(errorCode.enhanceYourCalm, reason);
  }

  /** Resets a stream that was not opened; what follows on it is ignored. */
  resetUnopened(id: number, code: number): void {
    this.writer.reset(id, code);
    this.table.rememberReset(id);
  }

  // -- What the connection tells

  /** The system has taken all that was written up to `position`. */
  taken(position: number): void {
    const ended = this.#ended;
    let count = 0;
    while (count < ended.length && (ended[count] as Http2Stream).endPosition <= position) count++;
    if (count > 0) {
      for (const stream of ended.splice(0, count)) this.guard(() => stream.listener.sent());
      if (this.empty) this.#owner.emptied();
    }
    this.#pump();
  }

  /** All streams are lost with their connection. */
  lost(cause: Error): void {
    const streams = [...this.table.open.values(), ...this.#ended.splice(0)];
    for (const stream of streams) {
      stream.cut();
      this.guard(() => stream.listener.lost(cause));
    }
  }

  /** A look at the time. */
  watch(time: number, elapsed: number): void {
    for (const stream of this.table.open.values()) this.guard(() => stream.listener.watch(time, elapsed));
  }

  /** The server begins to close. */
  shutDown(): void {
    for (const stream of this.table.open.values()) this.guard(() => stream.listener.shutDown());
  }

  // -- Inside

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.sendWindow > 0 && this.#output.unsent < maximumUnsent) {
        const stream = this.#turns.next();
        if (stream === undefined) break;
        if (stream.takeTurn()) this.#turns.add(stream);
      }
    } catch (error) {
      this.#owner.broken(error);
    }
    this.#pumping = false;
  }
}
