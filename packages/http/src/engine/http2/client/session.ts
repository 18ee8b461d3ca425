/** What the frames of one destination mean (RFC 9113, 8): responses to the requests that were sent. The connection has the socket. */
import type { HeaderList } from "../../../header-list.ts";
import { FrameSession } from "../frame-session.ts";
import { errorCode, minimumMaxFrameSize, settingId } from "../frames.ts";
import type { Output } from "../output.ts";
import { initialWindow, PeerSettings } from "../peer-settings.ts";
import { Http2Stream, streamWindow } from "../stream.ts";
import type { Http2Call } from "./call.ts";
import { connectionWindow, DestinationStreams, type DestinationStreamsOwner } from "./destination-streams.ts";
import { ResponseFields } from "./response-fields.ts";

const maximumFields = 1000;
/** Fields for which what RFC 9113, 6.5.2 counts on top of their bytes is announced. */
const usualFields = 100;

/** What a session asks of its connection. */
export interface DestinationSessionOwner extends DestinationStreamsOwner {
  /** The destination's SETTINGS came, for the first time or anew. */
  settingsTaken(): void;
  goaway(last: number, code: number): void;
  pingAnswered(): void;
}

/** Most bytes of a header block on the wire: one that is not much too large fails its response alone. */
export function maximumBlock(maximumHead: number): number {
  return Math.max(16 * minimumMaxFrameSize, 2 * maximumHead);
}

export class DestinationSession extends FrameSession<DestinationStreams> {
  readonly #owner: DestinationSessionOwner;
  readonly #maximumHead: number;
  readonly #fields = new ResponseFields();

  /** Writes the preface (RFC 9113, 3.4). `maximumHead`: most bytes of a response head, as HTTP/1.1 would write it. */
  constructor(owner: DestinationSessionOwner, output: Output, now: () => number, maximumHead: number) {
    const maximumHeaderList = maximumHead + usualFields * 32;
    const streams = new DestinationStreams(owner, output, now);
    super(streams, new PeerSettings("server"), maximumHead + maximumFields * 32);
    this.#owner = owner;
    this.#maximumHead = maximumHead;
    streams.writer.preface();
    streams.writer.settings([
      [settingId.enablePush, 0],
      [settingId.initialWindowSize, streamWindow],
      [settingId.maxHeaderListSize, maximumHeaderList],
    ]);
    streams.writer.windowUpdate(0, connectionWindow - initialWindow);
  }

  /** Streams that the destination takes at once. */
  get limit(): number {
    return this.peer.maxConcurrentStreams;
  }

  /** It takes extended CONNECT (RFC 8441, 3). */
  get connectProtocol(): boolean {
    return this.peer.connectProtocol;
  }

  /** Sends the head of a request on a stream of its own. `endStream`: nothing follows it. */
  open(call: Http2Call, endStream: boolean): Http2Stream<Http2Call> {
    const { streams, peer } = this;
    const { table, writer } = streams;
    const id = table.last === 0 ? 1 : table.last + 2;
    table.use(id);
    const stream = new Http2Stream<Http2Call>(streams, id, peer.initialWindowSize, false);
    stream.listener = call;
    table.open.set(id, stream);
    writer.fields(id, call.fields, endStream);
    if (endStream) stream.closeLocal();
    // An end that follows at once is that of an empty body, or of what is spoken in a tunnel: not the same as none.
    else writer.settle();
    return stream;
  }

  override headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void {
    const fields = this.#fields;
    fields.begin();
    const within = this.decode(bytes, from, to, fields);
    if (within === undefined) return;
    const stream = this.streams.table.open.get(id);
    if (stream === undefined) {
      this.frameOfNone(id, "HEADERS");
    } else if (stream.remoteClosed) {
      this.streamFault(stream, errorCode.streamClosed, "HEADERS behind the end of its stream");
    } else if (dependsOnItself) {
      this.#malformed(stream, "a stream depends on itself");
    } else if (fields.fault !== "") {
      this.#malformed(stream, fields.fault);
    } else if (stream.listener.answered) {
      this.#trailers(stream, endStream, within);
    } else {
      this.#head(stream, endStream, within);
    }
  }

  override reset(id: number, code: number): void {
    const { table } = this.streams;
    const stream = table.open.get(id);
    if (stream === undefined) {
      if (table.isUnused(id)) this.#owner.connectionFault(errorCode.protocolError, "RST_STREAM of an idle stream");
      else this.nothing(0);
      return;
    }
    stream.cut();
    stream.listener.resetByPeer(code);
  }

  override goaway(last: number, code: number): void {
    this.nothing(0);
    this.#owner.goaway(last, code);
  }

  override pingAnswered(): void {
    this.#owner.pingAnswered();
    super.pingAnswered();
  }

  protected override settingsTaken(): void {
    this.#owner.settingsTaken();
  }

  protected override streamFault(stream: Http2Stream<Http2Call>, code: number, message: string): void {
    stream.reset(code);
    stream.listener.broken(message);
  }

  #malformed(stream: Http2Stream<Http2Call>, message: string): void {
    this.streamFault(stream, errorCode.protocolError, message);
  }

  #head(stream: Http2Stream<Http2Call>, endStream: boolean, within: boolean): void {
    const { status, length, count, size } = this.#fields;
    const call = stream.listener;
    if (status === 0) {
      this.#malformed(stream, "the response has no status");
    } else if (!within || size > this.#maximumHead) {
      call.tooLarge("the response head is too large");
    } else if (count > maximumFields) {
      call.tooLarge("the response has too many header fields");
    } else if (status === 101) {
      this.#malformed(stream, "101 is not of HTTP/2");
    } else if (status < 200) {
      if (endStream) this.#malformed(stream, "an interim response ends its stream");
      else call.interim(status, this.#fields.takeList());
    } else {
      call.response({ status, headers: this.#fields.takeList() }, length, endStream);
      // The handler may have given it up.
      if (endStream && !stream.remoteClosed) this.endRemote(stream, undefined);
    }
  }

  #trailers(stream: Http2Stream<Http2Call>, endStream: boolean, within: boolean): void {
    const { status, framing, count, size } = this.#fields;
    if (!endStream) this.#malformed(stream, "the trailers do not end the stream");
    else if (stream.listener.tunnels) this.#malformed(stream, "HEADERS within a tunnel");
    else if (status !== 0) this.#malformed(stream, "a pseudo-field among the trailers");
    else if (framing) this.#malformed(stream, "the trailers hold a field for framing or routing");
    else if (!within || size > this.#maximumHead || count > maximumFields) stream.listener.tooLarge("the trailers are too large");
    else {
      const trailers: HeaderList = this.#fields.takeList();
      this.endRemote(stream, trailers.size === 0 ? undefined : trailers);
    }
  }
}
