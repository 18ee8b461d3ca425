/**
 * What the frames of one client mean (RFC 9113, 5 to 8): streams are opened, each an exchange, fed, windows kept, and ended.
 * The connection has the socket, and the last word on when all ends.
 */
import { BadRequestError, ClientGoneError } from "../../errors.ts";
import type { ConnectionInfo } from "../../exchange.ts";
import { HeaderList } from "../../header-list.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { Completion } from "../../completion.ts";
import type { FrameEvents } from "./checked-frames.ts";
import { Http2Exchange, type Http2ExchangeOwner } from "./exchange.ts";
import { FieldCollector } from "./field-collector.ts";
import { FloodGuard } from "./flood-guard.ts";
import { FrameWriter } from "./frame-writer.ts";
import { errorCode, minimumMaxFrameSize, settingId } from "./frames.ts";
import { HpackDecoder } from "./hpack/hpack-decoder.ts";
import type { Http2Context } from "./http2-context.ts";
import type { Output } from "./output.ts";
import { initialWindow, maximumWindow, PeerSettings } from "./peer-settings.ts";
import { type Http2RequestHead, MalformedRequestError, readTrailers, RequestHeadReader } from "./request-head.ts";
import { RefusedStream } from "./refused-stream.ts";
import { OutgoingFields } from "./response-head.ts";
import { SendTurns } from "./send-turns.ts";
import { Http2Stream, streamWindow } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Streams at once: Kestrel's. */
const maximumStreams = 100;
/** Answers that the system has not taken. Who reads them never has more requests without an answer than streams at once. */
const maximumUntaken = 400;
/** Bytes of all bodies of a connection that may be on their way. */
const connectionWindow = 1_048_576;
/** Bytes that the system has not taken: from here on bodies wait. */
const maximumUnsent = 131_072;
/** HPACK's table: what everybody takes. */
const tableSize = 4096;
/** A stream that is refused costs what so many bytes of idle frames cost. */
const refusedCost = 512;

const noFields = new OutgoingFields();

/** What a session asks of its connection. */
export interface SessionOwner {
  readonly info: ConnectionInfo;
  readonly serverClosing: boolean;
  /** No new streams: the last GOAWAY was said. */
  readonly leaving: boolean;
  /** The connection ends with this GOAWAY. */
  connectionFault(code: number, message: string): void;
  /** A reader, or a listener, has thrown. */
  broken(error: unknown): void;
  requestStarted(count: number): void;
  /** No stream is left. */
  emptied(): void;
  pingAnswered(): void;
  clientLeaves(): void;
}

/** As RFC 9113, 6.5.2 counts: 32 bytes for each field on top. A little more is answered with 431. */
export function maximumHeaderList(limits: ServerLimits): number {
  return limits.maxRequestHeadersTotalSize + limits.maxRequestLineSize + (limits.maxRequestHeaderCount + 8) * 32;
}

export class Http2Session implements FrameEvents, Http2ExchangeOwner {
  readonly table = new StreamTable();
  readonly writer: FrameWriter;
  readonly limits: ServerLimits;
  readonly maximumQueued: number;
  sendWindow = initialWindow;
  /** Bytes of DATA that come now last beyond this call: memory that is not used again. */
  lasting = true;
  readonly #context: Http2Context;
  readonly #owner: SessionOwner;
  readonly #output: Output;
  readonly #guard: FloodGuard;
  readonly #decoder: HpackDecoder;
  readonly #fields = new FieldCollector();
  readonly #heads: RequestHeadReader;
  readonly #peer = new PeerSettings();
  readonly #turns = new SendTurns();
  /** Streams whose end was written and not yet taken by the system. */
  readonly #ended: Http2Stream[] = [];
  #receiveWindow = connectionWindow;
  #used = 0;
  #requests = 0;
  #pumping = false;
  /** The DATA frame in hand. */
  #dataStream: Http2Stream | undefined = undefined;
  #dataLeft = 0;
  #dataEmpty = true;
  #dataEnds = false;

  constructor(owner: SessionOwner, context: Http2Context, output: Output) {
    const { limits, wheel } = context;
    this.#owner = owner;
    this.#context = context;
    this.#output = output;
    this.limits = limits;
    this.maximumQueued = limits.maxResponseBufferSize;
    this.writer = new FrameWriter(output);
    this.#guard = new FloodGuard(() => wheel.time);
    this.#decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: maximumHeaderList(limits) });
    this.#heads = new RequestHeadReader(limits, context.scheme);
    this.writer.settings([
      [settingId.maxConcurrentStreams, maximumStreams],
      [settingId.initialWindowSize, streamWindow],
      [settingId.maxHeaderListSize, maximumHeaderList(limits)],
      [settingId.enableConnectProtocol, 1],
    ]);
    this.writer.windowUpdate(0, connectionWindow - initialWindow);
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

  // -- Frames

  dataBegins(id: number, length: number, endStream: boolean): void {
    this.#dataStream = undefined;
    this.#dataLeft = length;
    this.#dataEmpty = true;
    this.#dataEnds = endStream;
    if (length > this.#receiveWindow) {
      this.#owner.connectionFault(errorCode.flowControlError, "more DATA than the window of the connection");
      return;
    }
    this.#receiveWindow -= length;
    const stream = this.table.open.get(id);
    if (stream === undefined) {
      this.#frameOfNone(id, "DATA");
      return;
    }
    if (stream.remoteClosed) {
      this.#streamFault(stream, errorCode.streamClosed, "DATA behind the end of its stream");
    } else if (length > stream.receiveWindow) {
      this.#streamFault(stream, errorCode.flowControlError, "more DATA than the window of its stream");
    } else {
      stream.receiveWindow -= length;
      this.#dataStream = stream;
    }
  }

  dataBytes(bytes: Buffer, from: number, to: number): void {
    const stream = this.#dataStream;
    this.#dataLeft -= to - from;
    this.#dataEmpty = false;
    if (stream === undefined || stream.remoteClosed) this.credit(to - from);
    else stream.listener.received(bytes, from, to, this.lasting);
  }

  dataEnds(): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (this.#dataEmpty && !this.#dataEnds && !this.#guard.idleFrame(0, this.#output.position)) this.#calm("empty DATA frames");
    const padding = this.#dataLeft;
    if (stream === undefined || stream.remoteClosed) {
      this.credit(padding);
      return;
    }
    if (padding > 0) stream.used(padding);
    if (!this.#dataEnds) return;
    stream.closeRemote();
    stream.listener.receivedEnd(undefined);
  }

  headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void {
    const fields = this.#fields;
    fields.begin();
    let within: boolean;
    try {
      within = this.#decoder.decode(bytes, from, to, fields);
    } catch (error) {
      this.#owner.connectionFault(errorCode.compressionError, (error as Error).message);
      return;
    }
    const { table } = this;
    const stream = table.open.get(id);
    if (stream !== undefined) {
      this.#trailers(stream, endStream, within);
    } else if (id % 2 === 0) {
      this.#owner.connectionFault(errorCode.protocolError, "a client opens an even stream");
    } else if (id <= table.last) {
      this.#frameOfNone(id, "HEADERS");
    } else {
      table.use(id);
      this.#open(id, endStream, dependsOnItself, within);
    }
  }

  reset(id: number, code: number): void {
    const stream = this.table.open.get(id);
    if (stream === undefined) {
      if (isUnused(this.table.fateOf(id))) this.#owner.connectionFault(errorCode.protocolError, "RST_STREAM of an idle stream");
      else this.nothing(0);
      return;
    }
    const counts = !stream.localClosed;
    stream.cut();
    stream.listener.lost(new ClientGoneError(`the client reset the stream (${code})`));
    if (counts && !this.#guard.reset()) this.#calm("too many streams are reset");
  }

  settings(bytes: Buffer, from: number, to: number): void {
    if (!this.#guard.settings()) {
      this.#calm("too many SETTINGS frames");
      return;
    }
    const peer = this.#peer;
    const before = peer.initialWindowSize;
    const fault = peer.take(bytes, from, to);
    if (fault >= 0) {
      this.#owner.connectionFault(fault, "a setting has a value that it may not have");
      return;
    }
    this.writer.encoder.setMaxTableSize(peer.smallestTableSize);
    this.writer.encoder.setMaxTableSize(peer.headerTableSize);
    this.writer.settingsAcknowledged();
    const change = peer.initialWindowSize - before;
    if (change === 0) return;
    for (const stream of this.table.open.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maximumWindow) {
        this.#owner.connectionFault(errorCode.flowControlError, "a window is larger than windows may be");
        return;
      }
      if (stream.ready) this.#turns.add(stream);
    }
    this.#pump();
  }

  settingsAcknowledged(): void {
    this.#decoder.settingsAcknowledged();
    this.nothing(0);
  }

  ping(bytes: Buffer, from: number): void {
    if (this.#guard.ping()) this.writer.ping(bytes, from, true);
    else this.#calm("too many PING frames");
  }

  pingAnswered(): void {
    this.#owner.pingAnswered();
    this.nothing(0);
  }

  goaway(): void {
    this.#owner.clientLeaves();
    this.nothing(0);
  }

  windowUpdate(id: number, increment: number): void {
    this.nothing(0);
    if (id === 0) {
      this.sendWindow += increment;
      if (increment === 0) this.#owner.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of nothing");
      else if (this.sendWindow > maximumWindow) this.#owner.connectionFault(errorCode.flowControlError, "the window is larger than windows may be");
      else this.#pump();
      return;
    }
    const stream = this.table.open.get(id);
    if (stream === undefined) {
      if (isUnused(this.table.fateOf(id))) this.#owner.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of an idle stream");
    } else if (increment === 0) {
      this.#streamFault(stream, errorCode.protocolError, "WINDOW_UPDATE of nothing");
    } else if (stream.sendWindow + increment > maximumWindow) {
      this.#streamFault(stream, errorCode.flowControlError, "a window is larger than windows may be");
    } else {
      stream.sendWindow += increment;
      if (stream.ready) this.#turns.add(stream);
      this.#pump();
    }
  }

  nothing(size: number): void {
    if (!this.#guard.idleFrame(size, this.#output.position)) this.#calm("too many frames that carry nothing");
  }

  fault(id: number, code: number, message: string): void {
    const stream = this.table.open.get(id);
    if (stream === undefined) this.#owner.connectionFault(code, message);
    else this.#streamFault(stream, code, message);
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
    this.#endStream(stream, errorCode.protocolError, error);
  }

  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#owner.broken(error);
    }
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

  /** A frame with a body or a header block on a stream that is not open. */
  #frameOfNone(id: number, what: string): void {
    const fate = this.table.fateOf(id);
    if (fate === "reset") this.nothing(0);
    else if (fate === "closed") this.#owner.connectionFault(errorCode.streamClosed, `${what} on a closed stream`);
    else this.#owner.connectionFault(errorCode.protocolError, `${what} on an idle stream`);
  }

  #trailers(stream: Http2Stream, endStream: boolean, within: boolean): void {
    if (stream.remoteClosed) {
      this.#streamFault(stream, errorCode.streamClosed, "HEADERS behind the end of its stream");
      return;
    }
    let trailers: HeaderList | undefined;
    try {
      if (!endStream) throw new MalformedRequestError("INVALID_TRAILER", "the trailers do not end the stream");
      trailers = readTrailers(this.#fields, within);
    } catch (error) {
      this.malformed(stream, error as BadRequestError);
      return;
    }
    stream.closeRemote();
    stream.listener.receivedEnd(trailers);
  }

  #open(id: number, endStream: boolean, dependsOnItself: boolean, within: boolean): void {
    const { table } = this;
    if (this.#owner.leaving) {
      table.rememberReset(id);
      this.nothing(refusedCost);
      return;
    }
    if (table.open.size >= maximumStreams || this.#ended.length >= maximumUntaken) {
      this.#resetUnopened(id, errorCode.refusedStream);
      this.nothing(refusedCost);
      return;
    }
    let head: Http2RequestHead;
    try {
      if (dependsOnItself) throw new MalformedRequestError("INVALID_PRIORITY", "a stream depends on itself");
      head = this.#heads.read(this.#fields, within);
      if (endStream && head.length !== undefined && head.length > 0) {
        throw new MalformedRequestError("INVALID_CONTENT_LENGTH", "the body is shorter than announced");
      }
      if (head.protocol !== undefined && !this.mayTunnel()) {
        throw new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
      }
    } catch (error) {
      this.#refuse(id, endStream, error as BadRequestError);
      return;
    }
    const stream = new Http2Stream(this, id, this.#peer.initialWindowSize, endStream);
    table.open.set(id, stream);
    const exchange = new Http2Exchange(this, stream, head);
    stream.listener = exchange;
    this.#owner.requestStarted(++this.#requests);
    try {
      const result = this.#context.handler(exchange);
      if (result !== undefined && !(result instanceof Completion)) result.then(undefined, (error: unknown) => this.#handlerFailed(exchange, error));
    } catch (error) {
      this.#handlerFailed(exchange, error);
    }
  }

  #handlerFailed(exchange: Http2Exchange, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error("a value that is no error was thrown", { cause: thrown });
    const { response } = exchange;
    if (!(error instanceof ClientGoneError)) this.#context.onFault(error, this.info.id);
    if (response.ended) return;
    if (response.started) response.abort(error);
    else response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }

  /** A request that no handler sees. */
  #refuse(id: number, endStream: boolean, error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
    if (error instanceof MalformedRequestError) {
      this.#resetUnopened(id, errorCode.protocolError);
      if (!this.#guard.reset()) this.#calm("too many streams are reset");
      return;
    }
    const stream = new Http2Stream(this, id, this.#peer.initialWindowSize, endStream);
    stream.listener = new RefusedStream(stream, (count) => this.credit(count));
    this.table.open.set(id, stream);
    this.writer.head(id, error.status, noFields, 0, true);
    stream.closeLocal();
  }

  #resetUnopened(id: number, code: number): void {
    this.writer.reset(id, code);
    this.table.rememberReset(id);
  }

  /** The client did wrong on one stream. */
  #streamFault(stream: Http2Stream, code: number, message: string): void {
    this.#endStream(stream, code, new BadRequestError(400, "INVALID_FRAME", message));
  }

  #endStream(stream: Http2Stream, code: number, error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
    stream.reset(code);
    stream.listener.lost(error);
    if (!this.#guard.reset()) this.#calm("too many streams are reset");
  }

  #calm(reason: string): void {
    this.#owner.connectionFault(errorCode.enhanceYourCalm, reason);
  }
}

function isUnused(fate: string): boolean {
  return fate === "idle" || fate === "skipped";
}
