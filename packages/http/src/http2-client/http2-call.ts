import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationErrorOptions,
  type DestinationErrorStep,
  type DestinationHandler,
  type DestinationRequest,
} from "../destination-client.ts";
import { asError } from "../engine/client/engine-call.ts";
import type { QueuedCall } from "../engine/client/call-queue.ts";
import type { Timed } from "../engine/timer-wheel.ts";
import type { ResponseHead, Tunnel } from "../exchange.ts";
import type { HeaderList } from "../header-list.ts";
import { Http2Tunnel } from "./http2-tunnel.ts";
import { resetStream } from "./reset-stream.ts";
import type { Http2Destination } from "./http2-destination.ts";
import type { Http2Session } from "./http2-session.ts";
import { Http2Upload } from "./http2-upload.ts";
import { fieldsSize, responseLines } from "./response-fields.ts";
import { ignoreStream, listenToStream } from "./stream-events.ts";

/** How long a body waits for 100 (Continue); the destination may not know about it (RFC 9110, 10.1.1). */
const continueTimeout = 1000;
/** Interim responses to one request; more are no help to anybody. */
const maximumInterim = 64;

/**
 * One request from `send` to its final call, and the only listener of its stream:
 *
 * 1. waiting in the queue of its destination, or given over to HTTP/1.1 when that is what the destination speaks;
 * 2. on a stream: head out, body out when it may, response in, both at once;
 * 3. over with the end of the response. What is left of the request body goes on until the destination resets the stream.
 *
 * The one gate to its handler: a handler that throws ends its own request and nothing else.
 */
export class Http2Call implements DestinationCall, QueuedCall<Http2Call>, Timed {
  deadline = Infinity;
  wheelIndex = -1;
  readonly request: DestinationRequest;
  readonly handler: DestinationHandler;
  readonly destination: Http2Destination;
  /** Pseudo-fields and fields as they go on the wire. */
  readonly fields: readonly string[];
  /** HTTP/1.1 will do as well. */
  readonly flexible: boolean;
  readonly upload: Http2Upload | undefined;
  queued = false;
  queuedSince = 0;
  next: Http2Call | undefined;
  previous: Http2Call | undefined;
  /** The final call of the handler was made, or the caller gave up: nothing is told any more. */
  done = false;
  /** It was sent once in vain; the next failure is final. */
  resent = false;
  /** GOAWAY said that it will not be looked at (RFC 9113, 6.8). */
  unprocessed = false;
  /** END_STREAM of the response has come. */
  ended = false;
  #stream: ClientHttp2Stream | undefined;
  #session: Http2Session | undefined;
  #head: ResponseHead | undefined;
  #begun = false;
  #interims = 0;
  #paused = false;
  #waitsForContinue = false;
  #trailers: HeaderList | undefined;
  #tunnel: Http2Tunnel | undefined;
  /** What Node said of its stream. */
  streamError: Error | undefined;
  #overHttp1: DestinationCall | undefined;

  /** The head of its response came. */
  get answered(): boolean {
    return this.#head !== undefined || this.#tunnel !== undefined;
  }

  get streamId(): number {
    return this.#stream?.id ?? 0;
  }

  constructor(destination: Http2Destination, request: DestinationRequest, handler: DestinationHandler, fields: readonly string[], flexible: boolean) {
    this.destination = destination;
    this.request = request;
    this.handler = handler;
    this.fields = fields;
    this.flexible = flexible;
    this.upload = request.body === undefined ? undefined : new Http2Upload(this, request.body, request.headers.has("trailer"));
  }

  pause(): void {
    this.#paused = true;
    this.#overHttp1?.pause();
    if (this.#head !== undefined && !this.done) this.#stream?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#overHttp1?.resume();
    if (this.#head !== undefined && !this.done) this.#stream?.resume();
  }

  abort(cause: Error): void {
    if (this.#overHttp1 !== undefined) {
      this.done = true;
      this.#overHttp1.abort(cause);
      return;
    }
    const uploading = this.upload?.flowing === true;
    if (this.done && !uploading) return;
    const unanswered = !this.done && !this.#begun;
    this.done = true;
    // A body that nobody has read is left to the caller, who may hand it to another destination.
    if (this.upload?.started === true) this.upload.drop();
    this.#stopWaiting();
    if (this.#stream === undefined) {
      this.destination.leaveQueue(this);
      return;
    }
    this.reset();
    if (unanswered) this.#session?.doubt();
  }

  /** Whether it may go out once more when nobody knows what became of it (RFC 9110, 9.2.2). */
  get canResend(): boolean {
    if (this.resent || this.done) return false;
    return this.upload === undefined ? isIdempotent(this.request.method) : !this.upload.started;
  }

  /** Whether it may go out once more when it is known that nothing became of it. */
  get canBegin(): boolean {
    return !this.resent && !this.done && this.upload?.started !== true;
  }

  /** Hands it to a client of HTTP/1.1. */
  takeOver(client: DestinationClient): void {
    if (this.done) return;
    this.#overHttp1 = client.send(this.request, this.handler);
    if (this.#paused) this.#overHttp1.pause();
  }

  // What the session tells

  start(session: Http2Session, stream: ClientHttp2Stream): void {
    this.#session = session;
    this.#stream = stream;
    listenToStream(stream, this);
    const { upload } = this;
    if (upload !== undefined && this.request.expectContinue === true && upload.size !== 0) {
      this.#waitsForContinue = true;
      this.destination.wheel.add(this);
      this.deadline = this.destination.wheel.after(continueTimeout);
    }
    this.tellProgress();
    if (upload !== undefined && !this.#waitsForContinue && !this.done) upload.start(stream);
  }

  onDeadline(): void {
    if (this.#waitsForContinue) this.#sendBody();
    else this.destination.wheel.remove(this);
  }

  // What the stream tells

  interim(fields: IncomingHttpHeaders, raw: readonly string[]): void {
    this.#begun = true;
    if (this.done) return;
    if (++this.#interims > maximumInterim) {
      this.stop("there are too many interim responses", { step: "response-head", source: "destination" });
      return;
    }
    const status = Number(fields[":status"]);
    if (status === 100 && this.#waitsForContinue) this.#sendBody();
    try {
      this.handler.onInformational(status, responseLines(raw));
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  response(fields: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    this.#begun = true;
    const stream = this.#stream;
    if (this.done || stream === undefined) return;
    if (fieldsSize(raw) > this.destination.http1.options.maxResponseHeadersSize) {
      this.stop("the response head is too large", { step: "response-head", source: "destination" });
      return;
    }
    const status = Number(fields[":status"]);
    const head: ResponseHead = { status, headers: responseLines(raw) };
    if (this.request.upgrade !== undefined && status >= 200 && status <= 299) {
      this.#becomeTunnel(stream, head);
      return;
    }
    this.#head = head;
    if (this.#waitsForContinue) {
      this.#stopWaiting();
      this.upload?.drop();
    }
    try {
      this.handler.onResponse(head);
    } catch (error) {
      this.#handlerFailed(error);
    }
    if (this.done) return;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      stream.resume();
      this.#finish();
    } else if (!this.#paused) {
      stream.resume();
    }
  }

  data(chunk: Uint8Array): void {
    if (this.done) return;
    try {
      this.handler.onData(chunk);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  trailers(raw: readonly string[]): void {
    const lines = responseLines(raw);
    if (lines.size > 0) this.#trailers = lines;
  }

  /** All that came was delivered. Only together with END_STREAM is that the end. */
  delivered(): void {
    if (this.ended && this.#head !== undefined && !this.done) this.#finish();
  }

  /** Closed by the destination without END_STREAM. Node waits for somebody to read to that end before it closes the stream. */
  brokenOff(): void {
    if (this.#head === undefined && this.#tunnel === undefined) this.#stream?.resume();
  }

  drained(): void {
    if (this.#tunnel !== undefined) return;
    this.tellProgress();
    this.upload?.drained();
  }

  failed(error: Error): void {
    this.streamError = error;
  }

  closed(): void {
    const code = this.#stream?.rstCode ?? 0;
    const session = this.#session as Http2Session;
    this.#release();
    session.callClosed(this);
    this.#over(code, session);
  }

  /** The session is lost, and the stream with it: Node tells so later, if at all. */
  lostSession(): void {
    const session = this.#session as Http2Session;
    this.#release();
    this.#over(constants.NGHTTP2_CANCEL, session);
  }

  // The gate to the handler

  tellProgress(): void {
    if (this.done) return;
    try {
      this.handler.onProgress();
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  /** The one final failure of a call that has no stream, or whose stream is closed. */
  fail(error: DestinationError): void {
    if (this.done) return;
    this.done = true;
    if (this.upload?.started === true) this.upload.drop();
    try {
      this.handler.onError(error);
    } catch {
      // The call is over: there is nobody left to tell.
    }
  }

  /** Ends it with an error of ours, and its stream with it. */
  stop(fault: string, options: Omit<DestinationErrorOptions, "requestSent">): void {
    if (this.done) return;
    this.#stopWaiting();
    this.reset();
    this.fail(new DestinationError(`${this.destination.name}: ${fault}`, { ...options, requestSent: this.#session !== undefined }));
  }

  /** RFC 9113, 5.4.2: nothing more is wanted of the stream, and what it carried so far is not whole. */
  reset(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    resetStream(stream, constants.NGHTTP2_CANCEL);
    // One that the destination closed while it was held back stays, and its connection with it, until somebody has read it to its end.
    if (!stream.destroyed) stream.resume();
  }

  #becomeTunnel(stream: ClientHttp2Stream, head: ResponseHead): void {
    this.done = true;
    const tunnel = new Http2Tunnel(stream, () => undefined);
    this.#tunnel = tunnel;
    try {
      this.handler.onUpgrade(head, tunnel as Tunnel);
    } catch (error) {
      tunnel.abort(asError(error));
    }
  }

  #sendBody(): void {
    this.#stopWaiting();
    if (this.#stream !== undefined) this.upload?.start(this.#stream);
  }

  #stopWaiting(): void {
    if (!this.#waitsForContinue) return;
    this.#waitsForContinue = false;
    this.deadline = Infinity;
    this.destination.wheel.remove(this);
  }

  #finish(): void {
    this.done = true;
    const { upload } = this;
    // A body that was never begun leaves the stream half open: nobody needs it any more.
    if (upload !== undefined && !upload.flowing && !upload.complete) this.reset();
    try {
      this.handler.onEnd(this.#trailers);
    } catch {
      // As in `fail`.
    }
  }

  #release(): void {
    if (this.#stream !== undefined) ignoreStream(this.#stream);
    this.#stream = undefined;
  }

  #over(code: number, session: Http2Session): void {
    if (this.#tunnel !== undefined) {
      const fault = session.isLost ? session.fault : faultOf(code);
      this.#tunnel.closed(new Error(`${this.destination.name}: ${fault}`, { cause: session.cause ?? this.streamError }));
      return;
    }
    this.#stopWaiting();
    if (this.done) this.upload?.drop();
    else this.#lost(code, session);
  }

  /** The stream is closed without the end of the response. */
  #lost(code: number, session: Http2Session): void {
    // Who has begun to answer has looked at it, whatever it says.
    const refused = !this.#begun && (this.unprocessed || code === constants.NGHTTP2_REFUSED_STREAM);
    // A session that was used before may have been dead already when the request was given to it, as an idle connection.
    const raced = session.isLost && !this.#begun && !session.isFresh;
    if (refused ? this.canBegin : raced && this.canResend) {
      this.#session = undefined;
      this.streamError = undefined;
      this.unprocessed = false;
      this.ended = false;
      this.resent = true;
      this.destination.enqueue(this);
      return;
    }
    const fault = session.isLost ? session.fault : faultOf(code);
    const cause = session.isLost ? session.cause : this.streamError;
    this.fail(
      new DestinationError(`${this.destination.name}: ${fault}`, {
        step: this.#step(),
        source: session.isCut ? "gateway" : "destination",
        // Whose body is gone is not to be sent by anybody else either.
        requestSent: !refused || this.upload?.started === true,
        ...(cause === undefined ? {} : { cause }),
      }),
    );
  }

  #step(): DestinationErrorStep {
    if (this.#head !== undefined) return "response-body";
    return this.upload?.flowing === true ? "request-body" : "request";
  }

  #handlerFailed(error: unknown): void {
    this.stop("the handler of the response failed", { step: "response-body", source: "gateway", cause: error });
  }
}

function faultOf(code: number): string {
  const name = codeNames.get(code) ?? `code ${code}`;
  return code === constants.NGHTTP2_NO_ERROR ? "the stream was closed before the response was complete" : `the stream was reset (${name})`;
}

const codeNames: ReadonlyMap<number, string> = new Map([
  "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
  "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
].entries());

function isIdempotent(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS" || method === "PUT" || method === "DELETE"
    || method === "TRACE";
}
