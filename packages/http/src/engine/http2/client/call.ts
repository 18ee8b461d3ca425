import type { BodySink } from "../../../body.ts";
import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationErrorOptions,
  type DestinationErrorStep,
  type DestinationHandler,
  type DestinationRequest,
} from "../../../destination-client.ts";
import type { ResponseHead } from "../../../exchange.ts";
import type { HeaderList } from "../../../header-list.ts";
import type { QueuedCall } from "../../client/call-queue.ts";
import { Countdown } from "../../client/countdown.ts";
import { asError } from "../../client/engine-call.ts";
import { errorCode } from "../frames.ts";
import { IncomingBytes } from "../incoming-bytes.ts";
import type { Http2Stream, StreamListener } from "../stream.ts";
import { Http2Tunnel } from "../tunnel.ts";
import type { Http2ClientConnection } from "./connection.ts";
import type { Http2Destination } from "./http2-destination.ts";
import { type Loss, lossError, lossFault, mayGoAgain } from "./loss.ts";
import { Http2Upload } from "./upload.ts";

/** How long a body waits for 100 (Continue); the destination may not know about it (RFC 9110, 10.1.1). */
const continueTimeout = 1000;
/** Interim responses to one request; more are no help to anybody. */
const maximumInterim = 64;

/**
 * One request from `send` to its final call, and what its stream carries:
 *
 * 1. waiting in the queue of its destination, or given over to HTTP/1.1 when that is what the destination speaks;
 * 2. on a stream: head out, body out when it may, response in, both at once;
 * 3. over with the end of the response. What is left of the request body goes on until the destination resets the stream.
 *
 * The one gate to its handler: a handler that throws ends its own request and nothing else.
 */
export class Http2Call implements DestinationCall, QueuedCall<Http2Call>, StreamListener, BodySink {
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
  next: Http2Call | undefined = undefined;
  previous: Http2Call | undefined = undefined;
  /** The final call of the handler was made, or the caller gave up: nothing is told any more. */
  done = false;
  /** It was sent once in vain; the next failure is final. */
  #resent = false;
  #stream: Http2Stream<Http2Call> | undefined = undefined;
  #connection: Http2ClientConnection | undefined = undefined;
  #head: ResponseHead | undefined = undefined;
  /** Something of an answer came. */
  #begun = false;
  #interims = 0;
  #paused = false;
  /** The body waits for 100 (Continue). */
  #continue: Countdown | undefined = undefined;
  /** The body of the response, from its head on unless it has none. */
  #bytes: IncomingBytes | undefined = undefined;
  /** Bytes of it that are still to come, or -1: only its end tells. */
  #left = -1;
  /** END_STREAM of the response has come. */
  #ended = false;
  #tunnel: Http2Tunnel | undefined = undefined;
  #overHttp1: DestinationCall | undefined = undefined;

  constructor(destination: Http2Destination, request: DestinationRequest, handler: DestinationHandler, fields: readonly string[], flexible: boolean) {
    this.destination = destination;
    this.request = request;
    this.handler = handler;
    this.fields = fields;
    this.flexible = flexible;
    this.upload = request.body === undefined ? undefined : new Http2Upload(this, request.body, request.headers.has("trailer"));
  }

  /** The head of its response came. */
  get answered(): boolean {
    return this.#head !== undefined || this.#tunnel !== undefined;
  }

  /** Its stream is a tunnel. */
  get tunnels(): boolean {
    return this.#tunnel !== undefined;
  }

  // What its caller asks

  pause(): void {
    this.#paused = true;
    this.#overHttp1?.pause();
    this.#bytes?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#overHttp1?.resume();
    this.#bytes?.resume();
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
    if (unanswered) this.#connection?.doubt();
  }

  /** Hands it to a client of HTTP/1.1. */
  takeOver(client: DestinationClient): void {
    if (this.done) return;
    this.#overHttp1 = client.send(this.request, this.handler);
    if (this.#paused) this.#overHttp1.pause();
  }

  // What its connection tells

  /** The head went out on `stream`. */
  start(connection: Http2ClientConnection, stream: Http2Stream<Http2Call>): void {
    this.#connection = connection;
    this.#stream = stream;
    const { upload } = this;
    if (upload !== undefined && this.request.expectContinue === true && upload.size !== 0) {
      this.#continue = new Countdown(this.destination.wheel, () => this.#sendBody());
      this.#continue.start(continueTimeout);
    }
    this.tellProgress();
    if (upload !== undefined && this.#continue === undefined && !this.done) upload.start(stream);
  }

  /** The stream is gone with its connection. `unprocessed`: the destination said that it has not looked at it (RFC 9113, 6.8). */
  connectionLost(unprocessed: boolean): void {
    this.#over(undefined, unprocessed);
  }

  // What its stream tells

  interim(status: number, headers: HeaderList): void {
    this.#begun = true;
    if (++this.#interims > maximumInterim) {
      this.stop("there are too many interim responses", { step: "response-head", source: "destination" });
      return;
    }
    if (status === 100 && this.#continue !== undefined) this.#sendBody();
    if (this.done) return;
    try {
      this.handler.onInformational(status, headers);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  /** The head of the final response, with its Content-Length or -1. `endStream`: nothing follows it. */
  response(head: ResponseHead, length: number, endStream: boolean): void {
    this.#begun = true;
    this.#connection?.heard();
    const { status } = head;
    if (this.request.upgrade !== undefined && status >= 200 && status <= 299) {
      this.#becomeTunnel(head);
      return;
    }
    this.#left = this.request.method === "HEAD" || status === 204 || status === 304 ? 0 : length;
    if (endStream && this.#left > 0) {
      this.#malformed("the response announces a body and has none");
      return;
    }
    this.#head = head;
    if (this.#continue !== undefined) {
      this.#stopWaiting();
      this.upload?.drop();
    }
    if (!endStream) {
      this.#bytes = new IncomingBytes((count) => this.#stream?.used(count), ignore);
      if (this.#paused) this.#bytes.pause();
      this.#bytes.read(this);
    }
    try {
      this.handler.onResponse(head);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  received(bytes: Buffer, from: number, to: number, lasting: boolean): void {
    if (this.#tunnel !== undefined) {
      // Who reads a tunnel does not say what he keeps.
      this.#tunnel.take(bytes, from, to, false);
      return;
    }
    if (this.#head === undefined) {
      this.#malformed("a body stands before the response head");
      return;
    }
    if (this.#left >= 0) {
      this.#left -= to - from;
      if (this.#left < 0) {
        this.#malformed("the response is longer than was said");
        return;
      }
    }
    this.#bytes?.take(bytes, from, to, lasting);
  }

  receivedEnd(trailers: HeaderList | undefined): void {
    if (this.#tunnel !== undefined) this.#tunnel.ended();
    else if (this.#head === undefined) this.#malformed("the stream ends without a response");
    else if (this.#left > 0) this.#malformed("the response is shorter than was said");
    else {
      this.#ended = true;
      if (this.#bytes === undefined) this.#finish(trailers);
      else this.#bytes.finish(trailers);
    }
  }

  drained(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.drained();
      return;
    }
    this.tellProgress();
    this.upload?.drained();
  }

  /** The destination reset the stream. */
  resetByPeer(code: number): void {
    this.#over(code, code === errorCode.refusedStream);
  }

  /** The destination did wrong on the stream, which is reset. */
  broken(fault: string): void {
    if (this.#tunnel === undefined) this.#failBroken(fault, this.answered ? "response-body" : "response-head");
    else this.#loseTunnel(new Error(`${this.destination.name}: ${fault}`));
  }

  /** It is within what HTTP/2 allows, and more than is taken. */
  tooLarge(fault: string): void {
    this.stop(fault, { step: this.answered ? "response-body" : "response-head", source: "destination" });
  }

  /** Who reads the tunnel has thrown. The stream is reset. */
  readerFailed(error: unknown): void {
    if (this.#tunnel !== undefined) this.#loseTunnel(asError(error));
    else this.stop("the response could not be told", { step: "response-body", source: "gateway", cause: error });
  }

  // What its body tells (as the sink of what came)

  onData(chunk: Uint8Array): void {
    if (this.done) return;
    try {
      if (this.handler.onData(chunk) !== true) this.#connection?.keepMemory();
    } catch (error) {
      this.#connection?.keepMemory();
      this.#handlerFailed(error);
    }
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#finish(trailers);
  }

  onError(): void {}

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
    this.#bytes?.drop();
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
    this.fail(new DestinationError(`${this.destination.name}: ${fault}`, { ...options, requestSent: this.#connection !== undefined }));
  }

  /** RFC 9113, 5.4.2: nothing more is wanted of the stream, and what it carried so far is not whole. */
  reset(): void {
    this.#bytes?.drop();
    this.#stream?.reset(errorCode.cancel);
  }

  #becomeTunnel(head: ResponseHead): void {
    const stream = this.#stream;
    if (stream === undefined || this.done) return;
    this.done = true;
    const tunnel = new Http2Tunnel(stream, ignore, ignore);
    this.#tunnel = tunnel;
    try {
      this.handler.onUpgrade(head, tunnel);
    } catch (error) {
      tunnel.abort(asError(error));
    }
  }

  #loseTunnel(cause: Error): void {
    try {
      this.#tunnel?.lost(cause);
    } catch {
      // Who reads it has nobody left to tell.
    }
  }

  #sendBody(): void {
    this.#stopWaiting();
    if (this.#stream !== undefined) this.upload?.start(this.#stream);
  }

  #stopWaiting(): void {
    this.#continue?.stop();
    this.#continue = undefined;
  }

  #finish(trailers: HeaderList | undefined): void {
    if (this.done) return;
    this.done = true;
    const { upload } = this;
    // A body that was never begun, and a tunnel that did not come to be, leave the stream half open: nobody needs it any more.
    if (upload !== undefined && !upload.flowing && !upload.complete) this.reset();
    else if (upload === undefined) this.#stream?.end(undefined);
    try {
      this.handler.onEnd(trailers);
    } catch {
      // As in `fail`.
    }
  }

  /** RFC 9113, 8.1.1. */
  #malformed(fault: string): void {
    this.#stream?.reset(errorCode.protocolError);
    this.broken(fault);
  }

  #failBroken(fault: string, step: DestinationErrorStep): void {
    this.#stopWaiting();
    if (this.done) this.upload?.drop();
    else this.fail(new DestinationError(`${this.destination.name}: ${fault}`, { step, source: "destination", requestSent: true }));
  }

  /** The stream is over before its time: reset with `code`, or lost with its connection. */
  #over(code: number | undefined, unprocessed: boolean): void {
    const connection = this.#connection as Http2ClientConnection;
    // Who has begun to answer has looked at it, whatever it says.
    const loss: Loss = { connection, code, unprocessed: unprocessed && !this.#begun, begun: this.#begun };
    this.#stopWaiting();
    if (this.#tunnel !== undefined) {
      this.#loseTunnel(new Error(`${this.destination.name}: ${lossFault(loss)}`, { cause: connection.cause }));
    } else if (this.done || this.#ended) {
      // All of the response came, even if it is not told yet: what is left of the request is not wanted.
      this.upload?.drop();
    } else if (!this.#resent && mayGoAgain(this.request, this.upload, loss)) {
      this.#connection = undefined;
      this.#stream = undefined;
      this.#resent = true;
      this.destination.enqueue(this);
    } else {
      this.fail(lossError(this.destination.name, this.#step(), this.upload, loss));
    }
  }

  #step(): DestinationErrorStep {
    if (this.#head !== undefined) return "response-body";
    return this.upload?.flowing === true ? "request-body" : "request";
  }

  #handlerFailed(error: unknown): void {
    this.stop("the handler of the response failed", { step: "response-body", source: "gateway", cause: error });
  }
}

function ignore(): void {}
