/**
 * What the frames of one client mean (RFC 9113, 5 to 8): which stream they open, feed, widen or end, and which are a
 * fault. The connection has the socket, and the last word on when all ends.
 */
import { BadRequestError, ClientGoneError } from "../../errors.ts";
import type { HeaderList } from "../../header-list.ts";
import type { ServerLimits } from "../../server-limits.ts";
import type { FrameEvents } from "./checked-frames.ts";
import { connectionWindow, ConnectionStreams, type StreamsOwner } from "./connection-streams.ts";
import { FieldCollector } from "./field-collector.ts";
import { errorCode, settingId } from "./frames.ts";
import { HpackDecoder } from "./hpack/hpack-decoder.ts";
import type { Http2Context } from "./http2-context.ts";
import type { Output } from "./output.ts";
import { initialWindow, PeerSettings } from "./peer-settings.ts";
import { MalformedRequestError, readTrailers } from "./request-head.ts";
import { maximumStreams, RequestOpener } from "./request-opener.ts";
import { type Http2Stream, streamWindow } from "./stream.ts";

/** HPACK's table: what everybody takes. */
const tableSize = 4096;

/** What a session asks of its connection. */
export interface SessionOwner extends StreamsOwner {
  /** No new streams: the last GOAWAY was said. */
  readonly leaving: boolean;
  requestStarted(count: number): void;
  pingAnswered(): void;
  clientLeaves(): void;
}

/** As RFC 9113, 6.5.2 counts: 32 bytes for each field on top. A little more is answered with 431. */
export function maximumHeaderList(limits: ServerLimits): number {
  return limits.maxRequestHeadersTotalSize + limits.maxRequestLineSize + (limits.maxRequestHeaderCount + 8) * 32;
}

export class Http2Session implements FrameEvents {
  readonly streams: ConnectionStreams;
  /** Bytes of DATA that come now last beyond this call: memory that is not used again. */
  lasting = true;
  readonly #owner: SessionOwner;
  readonly #decoder: HpackDecoder;
  readonly #fields = new FieldCollector();
  readonly #peer = new PeerSettings();
  readonly #opener: RequestOpener;
  /** The DATA frame in hand. */
  #dataStream: Http2Stream | undefined = undefined;
  #dataLeft = 0;
  #dataEmpty = true;
  #dataEnds = false;

  constructor(owner: SessionOwner, context: Http2Context, output: Output) {
    const { limits } = context;
    const streams = new ConnectionStreams(owner, context, output);
    this.#owner = owner;
    this.streams = streams;
    this.#decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: maximumHeaderList(limits) });
    this.#opener = new RequestOpener(streams, context, this.#peer, (count) => owner.requestStarted(count));
    streams.writer.settings([
      [settingId.maxConcurrentStreams, maximumStreams],
      [settingId.initialWindowSize, streamWindow],
      [settingId.maxHeaderListSize, maximumHeaderList(limits)],
      [settingId.enableConnectProtocol, 1],
    ]);
    streams.writer.windowUpdate(0, connectionWindow - initialWindow);
  }

  dataBegins(id: number, length: number, endStream: boolean): void {
    this.#dataStream = undefined;
    this.#dataLeft = length;
    this.#dataEmpty = true;
    this.#dataEnds = endStream;
    const { streams } = this;
    if (!streams.receive(length)) {
      this.#owner.connectionFault(errorCode.flowControlError, "more DATA than the window of the connection");
      return;
    }
    const stream = streams.table.open.get(id);
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
    if (stream === undefined || stream.remoteClosed) this.streams.credit(to - from);
    else stream.listener.received(bytes, from, to, this.lasting);
  }

  dataEnds(): void {
    const stream = this.#dataStream;
    this.#dataStream = undefined;
    if (this.#dataEmpty && !this.#dataEnds) this.nothing(0);
    const padding = this.#dataLeft;
    if (stream === undefined || stream.remoteClosed) {
      this.streams.credit(padding);
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
    const { table } = this.streams;
    const stream = table.open.get(id);
    if (stream !== undefined) {
      this.#trailers(stream, endStream, within);
    } else if (id % 2 === 0) {
      this.#owner.connectionFault(errorCode.protocolError, "a client opens an even stream");
    } else if (id <= table.last) {
      this.#frameOfNone(id, "HEADERS");
    } else {
      table.use(id);
      if (this.#owner.leaving) this.#opener.ignore(id);
      else this.#opener.open(id, endStream, dependsOnItself, fields, within);
    }
  }

  reset(id: number, code: number): void {
    const stream = this.streams.table.open.get(id);
    if (stream === undefined) {
      if (isUnused(this.streams.table.fateOf(id))) this.#owner.connectionFault(errorCode.protocolError, "RST_STREAM of an idle stream");
      else this.nothing(0);
      return;
    }
    const counts = !stream.localClosed;
    stream.cut();
    stream.listener.lost(new ClientGoneError(`the client reset the stream (${code})`));
    if (counts) this.streams.countReset();
  }

  settings(bytes: Buffer, from: number, to: number): void {
    const { writer, floods } = this.streams;
    if (!floods.settings()) {
      this.streams.calm("too many SETTINGS frames");
      return;
    }
    const peer = this.#peer;
    const before = peer.initialWindowSize;
    const fault = peer.take(bytes, from, to);
    if (fault >= 0) {
      this.#owner.connectionFault(fault, "a setting has a value that it may not have");
      return;
    }
    writer.encoder.setMaxTableSize(peer.smallestTableSize);
    writer.encoder.setMaxTableSize(peer.headerTableSize);
    writer.settingsAcknowledged();
    const change = peer.initialWindowSize - before;
    if (change !== 0 && !this.streams.changeWindows(change)) {
      this.#owner.connectionFault(errorCode.flowControlError, "a window is larger than windows may be");
    }
  }

  settingsAcknowledged(): void {
    this.#decoder.settingsAcknowledged();
    this.nothing(0);
  }

  ping(bytes: Buffer, from: number): void {
    if (this.streams.floods.ping()) this.streams.writer.ping(bytes, from, true);
    else this.streams.calm("too many PING frames");
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
    const { streams } = this;
    const stream = streams.table.open.get(id);
    if (id === 0) {
      if (increment === 0) this.#owner.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of nothing");
      else if (!streams.widen(increment)) this.#owner.connectionFault(errorCode.flowControlError, "the window is larger than windows may be");
    } else if (stream === undefined) {
      if (isUnused(streams.table.fateOf(id))) this.#owner.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of an idle stream");
    } else if (increment === 0) {
      this.#streamFault(stream, errorCode.protocolError, "WINDOW_UPDATE of nothing");
    } else if (!streams.widenStream(stream, increment)) {
      this.#streamFault(stream, errorCode.flowControlError, "a window is larger than windows may be");
    }
  }

  nothing(size: number): void {
    this.streams.nothing(size);
  }

  fault(id: number, code: number, message: string): void {
    const stream = this.streams.table.open.get(id);
    if (stream === undefined) this.#owner.connectionFault(code, message);
    else this.#streamFault(stream, code, message);
  }

  // -- Inside

  /** A frame with a body or a header block on a stream that is not open. */
  #frameOfNone(id: number, what: string): void {
    const fate = this.streams.table.fateOf(id);
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
      this.streams.malformed(stream, error as BadRequestError);
      return;
    }
    stream.closeRemote();
    stream.listener.receivedEnd(trailers);
  }

  /** The client did wrong on one stream. */
  #streamFault(stream: Http2Stream, code: number, message: string): void {
    this.streams.endWrong(stream, code, new BadRequestError(400, "INVALID_FRAME", message));
  }
}

function isUnused(fate: string): boolean {
  return fate === "idle" || fate === "skipped";
}
