/**
 * What the frames of a peer mean, on either side (RFC 9113, 5 to 7): which stream they feed, widen or end, and which are a fault. What header
 * blocks, resets and GOAWAY mean is the side's.
 */
import type { FrameEvents } from "./checked-frames.ts";
import type { ConnectionStreams } from "./connection-streams.ts";
import { errorCode } from "./frames.ts";
import { type HeaderSink, HpackDecoder } from "./hpack/hpack-decoder.ts";
import type { PeerSettings } from "./peer-settings.ts";
import type { Http2Stream } from "./stream.ts";

/** HPACK's table: what everybody takes. */
const tableSize = 4096;

export abstract class FrameSession<S extends ConnectionStreams> implements FrameEvents {
  readonly streams: S;
  /** Bytes of DATA that come now last beyond this call: memory that is not used again. */
  lasting = true;
  protected readonly peer: PeerSettings;
  readonly #decoder: HpackDecoder;
  /** The DATA frame in hand. */
  #dataStream: Http2Stream | undefined = undefined;
  #dataLeft = 0;
  #dataEmpty = true;
  #dataEnds = false;

  /** `maximumHeaderList`: as it is announced (RFC 9113, 6.5.2). */
  constructor(streams: S, peer: PeerSettings, maximumHeaderList: number) {
    this.streams = streams;
    this.peer = peer;
    this.#decoder = new HpackDecoder({ maxTableSize: tableSize, maxHeaderListSize: maximumHeaderList });
  }

  abstract headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void;

  abstract reset(id: number, code: number): void;

  abstract goaway(last: number, code: number): void;

  /** The peer did wrong on one stream. */
  protected abstract streamFault(stream: Http2Stream, code: number, message: string): void;

  /** The settings of the peer are other ones now. */
  protected settingsTaken(): void {}

  dataBegins(id: number, length: number, endStream: boolean): void {
    this.#dataStream = undefined;
    this.#dataLeft = length;
    this.#dataEmpty = true;
    this.#dataEnds = endStream;
    const { streams } = this;
    if (!streams.receive(length)) {
      streams.connectionFault(errorCode.flowControlError, "more DATA than the window of the connection");
      return;
    }
    const stream = streams.table.open.get(id);
    if (stream === undefined) {
      this.frameOfNone(id, "DATA");
      return;
    }
    if (stream.remoteClosed) {
      this.streamFault(stream, errorCode.streamClosed, "DATA behind the end of its stream");
    } else if (length > stream.receiveWindow) {
      this.streamFault(stream, errorCode.flowControlError, "more DATA than the window of its stream");
    } else {
      stream.receiveWindow -= length;
      this.#dataStream = stream;
    }
  }

  dataBytes(bytes: Buffer, from: number, to: number): void {
    const stream = this.#dataStream;
    this.#dataLeft -= to - from;
    this.#dataEmpty = false;
    if (stream === undefined || stream.remoteClosed) {
      this.streams.credit(to - from);
      return;
    }
    try {
      stream.listener.received(bytes, from, to, this.lasting);
    } catch (error) {
      this.streams.listenerFailed(stream, error);
    }
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
    if (this.#dataEnds) this.endRemote(stream, undefined);
  }

  settings(bytes: Buffer, from: number, to: number): void {
    const { streams, peer } = this;
    if (!streams.floods.settings()) {
      streams.calm("too many SETTINGS frames");
      return;
    }
    const before = peer.initialWindowSize;
    const fault = peer.take(bytes, from, to);
    if (fault >= 0) {
      streams.connectionFault(fault, "a setting has a value that it may not have");
      return;
    }
    streams.writer.encoder.setMaxTableSize(peer.smallestTableSize);
    streams.writer.encoder.setMaxTableSize(peer.headerTableSize);
    streams.writer.settingsAcknowledged();
    const change = peer.initialWindowSize - before;
    if (change !== 0 && !streams.changeWindows(change)) {
      streams.connectionFault(errorCode.flowControlError, "a window is larger than windows may be");
    } else {
      this.settingsTaken();
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
    this.nothing(0);
  }

  windowUpdate(id: number, increment: number): void {
    this.nothing(0);
    const { streams } = this;
    const stream = streams.table.open.get(id);
    if (id === 0) {
      if (increment === 0) streams.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of nothing");
      else if (!streams.widen(increment)) streams.connectionFault(errorCode.flowControlError, "the window is larger than windows may be");
    } else if (stream === undefined) {
      if (streams.table.isUnused(id)) streams.connectionFault(errorCode.protocolError, "WINDOW_UPDATE of an idle stream");
    } else if (increment === 0) {
      this.streamFault(stream, errorCode.protocolError, "WINDOW_UPDATE of nothing");
    } else if (!streams.widenStream(stream, increment)) {
      this.streamFault(stream, errorCode.flowControlError, "a window is larger than windows may be");
    }
  }

  nothing(size: number): void {
    this.streams.nothing(size);
  }

  fault(id: number, code: number, message: string): void {
    const stream = this.streams.table.open.get(id);
    if (stream === undefined) this.streams.connectionFault(code, message);
    else this.streamFault(stream, code, message);
  }

  // -- For the sides

  /** Gives `sink` the fields of a header block. False: there were more than announced. Undefined: it is none, and the connection ends. */
  protected decode(bytes: Buffer, from: number, to: number, sink: HeaderSink): boolean | undefined {
    try {
      return this.#decoder.decode(bytes, from, to, sink);
    } catch (error) {
      this.streams.connectionFault(errorCode.compressionError, (error as Error).message);
      return undefined;
    }
  }

  /** The peer has ended its side of `stream`. */
  protected endRemote(stream: Http2Stream, trailers: Parameters<Http2Stream["listener"]["receivedEnd"]>[0]): void {
    stream.closeRemote();
    try {
      stream.listener.receivedEnd(trailers);
    } catch (error) {
      this.streams.listenerFailed(stream, error);
    }
  }

  /** A frame with a body or a header block on a stream that is not open. */
  protected frameOfNone(id: number, what: string): void {
    const fate = this.streams.table.fateOf(id);
    if (fate === "reset") this.nothing(0);
    else if (fate === "closed") this.streams.connectionFault(errorCode.streamClosed, `${what} on a closed stream`);
    else this.streams.connectionFault(errorCode.protocolError, `${what} on an idle stream`);
  }
}
