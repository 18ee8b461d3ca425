import { Completion } from "../../completion.ts";
import { BadRequestError, ClientGoneError } from "../../errors.ts";
import { HeaderList } from "../../header-list.ts";
import { Http2Exchange } from "./exchange.ts";
import type { FieldCollector } from "./field-collector.ts";
import { errorCode } from "./frames.ts";
import type { Http2Context } from "./http2-context.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { RefusedStream } from "./refused-stream.ts";
import { type Http2RequestHead, MalformedRequestError, RequestHeadReader } from "./request-head.ts";
import { OutgoingFields } from "./response-head.ts";
import type { ServerStreamListener, ServerStreams } from "./server-streams.ts";
import { Http2Stream } from "./stream.ts";

/** Streams at once: Kestrel's. */
export const maximumStreams = 100;
/** Answers that the system has not taken. Who reads them never has more requests without an answer than streams at once. */
const maximumUntaken = 400;
/** A stream that is refused costs what so many bytes of idle frames cost. */
const refusedCost = 512;

const noFields = new OutgoingFields();

/** Makes exchanges of header blocks that open streams, and gives them to the handler; what is no request, or one too many, is refused. */
export class RequestOpener {
  readonly #streams: ServerStreams;
  readonly #context: Http2Context;
  readonly #peer: PeerSettings;
  readonly #heads: RequestHeadReader;
  readonly #onRequest: (count: number) => void;
  #requests = 0;

  /** `onRequest` is told how many there were. */
  constructor(streams: ServerStreams, context: Http2Context, peer: PeerSettings, onRequest: (count: number) => void) {
    this.#streams = streams;
    this.#context = context;
    this.#peer = peer;
    this.#heads = new RequestHeadReader(context.limits, context.scheme);
    this.#onRequest = onRequest;
  }

  /** No stream is opened any more: what comes on this one is ignored. */
  ignore(id: number): void {
    this.#streams.table.rememberReset(id);
    this.#streams.nothing(refusedCost);
  }

  /** `within`: the fields are all there; `dependsOnItself`: the priority is malformed. */
  open(id: number, endStream: boolean, dependsOnItself: boolean, fields: FieldCollector, within: boolean): void {
    const streams = this.#streams;
    if (streams.table.open.size >= maximumStreams || streams.untaken >= maximumUntaken) {
      streams.resetUnopened(id, errorCode.refusedStream);
      streams.nothing(refusedCost);
      return;
    }
    let head: Http2RequestHead;
    try {
      if (dependsOnItself) throw new MalformedRequestError("INVALID_PRIORITY", "a stream depends on itself");
      head = this.#heads.read(fields, within);
      if (endStream && head.length !== undefined && head.length > 0) {
        throw new MalformedRequestError("INVALID_CONTENT_LENGTH", "the body is shorter than announced");
      }
      if (head.protocol !== undefined && !streams.mayTunnel()) {
        throw new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
      }
    } catch (error) {
      this.#refuse(id, endStream, error as BadRequestError);
      return;
    }
    const stream = new Http2Stream<ServerStreamListener>(streams, id, this.#peer.initialWindowSize, endStream);
    streams.table.open.set(id, stream);
    const exchange = new Http2Exchange(streams, stream, head);
    stream.listener = exchange;
    this.#onRequest(++this.#requests);
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
    if (!(error instanceof ClientGoneError)) this.#context.onFault(error, this.#streams.info.id);
    if (response.ended) return;
    if (response.started) response.abort(error);
    else response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }

  /** A request that no handler sees. */
  #refuse(id: number, endStream: boolean, error: BadRequestError): void {
    const streams = this.#streams;
    this.#context.onFault(error, streams.info.id);
    if (error instanceof MalformedRequestError) {
      streams.resetUnopened(id, errorCode.protocolError);
      streams.countReset();
      return;
    }
    const stream = new Http2Stream<ServerStreamListener>(streams, id, this.#peer.initialWindowSize, endStream);
    stream.listener = new RefusedStream(stream, (count) => streams.credit(count));
    streams.table.open.set(id, stream);
    streams.writer.head(id, error.status, noFields, 0, true);
    stream.closeLocal();
  }
}
