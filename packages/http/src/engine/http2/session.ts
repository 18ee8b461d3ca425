/** What the frames of one client mean (RFC 9113, 8): the requests that they open. The connection has the socket, and the last word on when all ends. */
import { BadRequestError, ClientGoneError } from "../../errors.ts";
import type { HeaderList } from "../../header-list.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { FieldCollector } from "./field-collector.ts";
import { FrameSession } from "./frame-session.ts";
import { errorCode, settingId } from "./frames.ts";
import type { Http2Context } from "./http2-context.ts";
import type { Output } from "./output.ts";
import { initialWindow, PeerSettings } from "./peer-settings.ts";
import { MalformedRequestError, readTrailers } from "./request-head.ts";
import { maximumStreams, RequestOpener } from "./request-opener.ts";
import { connectionWindow, type ServerStream, ServerStreams, type StreamsOwner } from "./server-streams.ts";
import { streamWindow } from "./stream.ts";

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

export class Http2Session extends FrameSession<ServerStreams> {
  readonly #owner: SessionOwner;
  readonly #fields = new FieldCollector();
  readonly #opener: RequestOpener;

  constructor(owner: SessionOwner, context: Http2Context, output: Output) {
    const { limits } = context;
    const streams = new ServerStreams(owner, context, output);
    super(streams, new PeerSettings("client"), maximumHeaderList(limits));
    this.#owner = owner;
    this.#opener = new RequestOpener(streams, context, this.peer, (count) => owner.requestStarted(count));
    streams.writer.settings([
      [settingId.maxConcurrentStreams, maximumStreams],
      [settingId.initialWindowSize, streamWindow],
      [settingId.maxHeaderListSize, maximumHeaderList(limits)],
      [settingId.enableConnectProtocol, 1],
    ]);
    streams.writer.windowUpdate(0, connectionWindow - initialWindow);
  }

  override headers(id: number, endStream: boolean, dependsOnItself: boolean, bytes: Buffer, from: number, to: number): void {
    const fields = this.#fields;
    fields.begin();
    const within = this.decode(bytes, from, to, fields);
    if (within === undefined) return;
    const { table } = this.streams;
    const stream = table.open.get(id);
    if (stream !== undefined) {
      this.#trailers(stream, endStream, within);
    } else if (id % 2 === 0) {
      this.#owner.connectionFault(errorCode.protocolError, "a client opens an even stream");
    } else if (id <= table.last) {
      this.frameOfNone(id, "HEADERS");
    } else {
      table.use(id);
      if (this.#owner.leaving) this.#opener.ignore(id);
      else this.#opener.open(id, endStream, dependsOnItself, fields, within);
    }
  }

  override reset(id: number, code: number): void {
    const { streams } = this;
    const stream = streams.table.open.get(id);
    if (stream === undefined) {
      if (streams.table.isUnused(id)) this.#owner.connectionFault(errorCode.protocolError, "RST_STREAM of an idle stream");
      else this.nothing(0);
      return;
    }
    const counts = !stream.localClosed;
    stream.cut();
    streams.guard(stream, () => stream.listener.lost(new ClientGoneError(`the client reset the stream (${code})`)));
    if (counts) streams.countReset();
  }

  override pingAnswered(): void {
    this.#owner.pingAnswered();
    super.pingAnswered();
  }

  override goaway(): void {
    this.#owner.clientLeaves();
    this.nothing(0);
  }

  #trailers(stream: ServerStream, endStream: boolean, within: boolean): void {
    if (stream.remoteClosed) {
      this.streamFault(stream, errorCode.streamClosed, "HEADERS behind the end of its stream");
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
    this.endRemote(stream, trailers);
  }

  protected override streamFault(stream: ServerStream, code: number, message: string): void {
    this.streams.endWrong(stream, code, new BadRequestError(400, "INVALID_FRAME", message));
  }
}
