import type { BodySource } from "../../body.ts";
import { bodyTooSlow } from "../../bounded-body.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../../errors.ts";
import type { ConnectionInfo, Exchange, ExchangeFeatures, RequestHead, ResponseHead, Tunnel, UpgradeFeature } from "../../exchange.ts";
import type { HeaderList } from "../../header-list.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { InputBuffer } from "../server/input-buffer.ts";
import { errorCode } from "./frames.ts";
import { Http2RequestBody } from "./request-body.ts";
import type { Http2RequestHead } from "./request-head.ts";
import { Http2Response, type Http2ResponseOwner } from "./response.ts";
import type { ServerStream, ServerStreamListener } from "./server-streams.ts";
import type { StreamOwner } from "./stream.ts";
import { Http2Tunnel } from "./tunnel.ts";

/** What an exchange asks of the connection that its stream belongs to. */
export interface Http2ExchangeOwner extends StreamOwner {
  readonly info: ConnectionInfo;
  readonly limits: ServerLimits;
  /** The server began to close. */
  readonly serverClosing: boolean;
  /** The client cannot send a whole frame: bodies of other streams, which nobody reads, fill the window of the connection. */
  readonly windowClosed: boolean;
  /** False refuses one more tunnel. */
  mayTunnel(): boolean;
  tunnelOpened(): void;
  tunnelClosed(): void;
  /** The client's side of a stream does not hold what it announced. */
  malformed(stream: ServerStream, error: BadRequestError): void;
  /** Calls who may throw: what is thrown ends `stream`. */
  guard(stream: ServerStream, call: () => void): void;
}

const noFeatures: ExchangeFeatures = Object.freeze({});

/** One stream of a connection as an exchange. What few handlers ask for is made when they ask. */
export class Http2Exchange implements Exchange, Http2ResponseOwner, ServerStreamListener {
  readonly request: RequestHead;
  readonly response: Http2Response;
  clientAddress: string | undefined = undefined;
  readonly stream: ServerStream;
  readonly #owner: Http2ExchangeOwner;
  readonly #body: Http2RequestBody | undefined;
  readonly #protocol: string | undefined;
  #features: ExchangeFeatures | undefined = undefined;
  #tunnel: Http2Tunnel | undefined = undefined;
  #tunnelCounted = false;
  /** What came on the stream of a tunnel before that was opened. */
  #early: InputBuffer | undefined = undefined;
  #earlyEnd = false;
  /** The system has taken our side of the stream as a whole. */
  #allSent = false;
  #complete = false;
  #gone: Error | undefined = undefined;
  #goneListener: ((cause: Error) => void) | undefined = undefined;
  #goneListeners: ((cause: Error) => void)[] | undefined = undefined;
  #completeListeners: (() => void)[] | undefined = undefined;
  /** For the rate of the response: how much must be sent by when. */
  #sentMark = 0;
  #sendDeadline = Infinity;

  constructor(owner: Http2ExchangeOwner, stream: ServerStream, head: Http2RequestHead) {
    this.#owner = owner;
    this.stream = stream;
    this.request = head.request;
    this.response = new Http2Response(stream, owner.writer, this, head.request.method === "HEAD");
    this.#protocol = head.protocol;
    this.#earlyEnd = stream.remoteClosed;
    this.#body = stream.remoteClosed || head.protocol !== undefined ? undefined : this.#makeBody(head);
  }

  get connection(): ConnectionInfo {
    return this.#owner.info;
  }

  get body(): BodySource | undefined {
    return this.#body;
  }

  get features(): ExchangeFeatures {
    return (this.#features ??= this.#makeFeatures());
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else if (this.#complete) return;
    else if (this.#goneListener === undefined) this.#goneListener = listener;
    else (this.#goneListeners ??= []).push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#complete) listener();
    else (this.#completeListeners ??= []).push(listener);
  }

  responseAborted(cause: Error): void {
    this.#guarded(() => this.#body?.fail(cause));
    this.#dropEarly();
    this.#finish();
  }

  // -- What the stream tells

  received(bytes: Buffer, from: number, to: number, lasting: boolean): void {
    const body = this.#body;
    if (body !== undefined) {
      if (!body.take(bytes, from, to, lasting)) this.#malformed("INVALID_CONTENT_LENGTH", "the body is longer than announced");
    } else if (this.#tunnel !== undefined) {
      this.#tunnel.take(bytes, from, to, lasting);
    } else {
      (this.#early ??= new InputBuffer()).append(Buffer.from(bytes.subarray(from, to)));
    }
  }

  receivedEnd(trailers: HeaderList | undefined): void {
    if (this.#body === undefined) {
      if (this.#tunnel === undefined) this.#earlyEnd = true;
      else this.#tunnel.ended();
      if (this.#allSent) this.#finish();
    } else if (!this.#body.finish(trailers)) {
      this.#malformed("INVALID_CONTENT_LENGTH", "the body is shorter than announced");
    }
  }

  drained(): void {
    if (this.#tunnel === undefined) this.response.drained();
    else this.#tunnel.drained();
  }

  sent(): void {
    this.#allSent = true;
    if (this.#tunnel !== undefined) {
      if (this.stream.remoteClosed) this.#finish();
      return;
    }
    this.response.close();
    this.#finish();
    // A whole answer to a request of which nobody wants the rest (RFC 9113, 8.1). Not together with the answer: some clients drop that then.
    const body = this.#body;
    this.#dropEarly();
    if (body?.wanted === true) return;
    body?.cancel();
    this.#letGo();
  }

  /** Nobody wants the rest of the request any more. */
  #letGo(): void {
    if (this.#allSent && this.#tunnel === undefined && !this.stream.remoteClosed) this.stream.reset(errorCode.noError);
  }

  lost(cause: Error): void {
    const ended = this.response.ended && this.#tunnel === undefined && this.stream.endPosition > 0;
    this.response.close();
    this.#guarded(() => {
      if (this.#tunnel !== undefined) this.#tunnel.lost(cause);
      else if (!this.#complete && !ended) this.#tellGone(cause);
    });
    this.#guarded(() => this.#body?.fail(cause));
    this.#dropEarly();
    this.#finish();
  }

  #tellGone(cause: Error): void {
    this.#gone = cause;
    const first = this.#goneListener;
    const others = this.#goneListeners;
    this.#goneListener = this.#goneListeners = undefined;
    if (first !== undefined) this.#guarded(() => first(cause));
    if (others !== undefined) for (const listener of others) this.#guarded(() => listener(cause));
  }

  /** Whoever throws keeps nobody else from being told. */
  #guarded(call: () => void): void {
    this.#owner.guard(this.stream, call);
  }

  // -- Time

  /** Looks at the rates of both bodies; `time` and `elapsed` are in milliseconds. */
  watch(time: number, elapsed: number): void {
    const { limits } = this.#owner;
    const body = this.#body;
    const slowest = limits.minRequestBodyDataRate;
    if (slowest !== undefined && body?.awaitsClient === true && !body.lifted && !this.#owner.windowClosed) {
      body.waited += elapsed;
      if (body.waited > slowest.gracePeriod && body.received * 1000 < slowest.bytesPerSecond * body.waited) {
        body.fail(bodyTooSlow());
      }
    }
    if (this.#tunnel === undefined) this.#watchReader(time, limits);
  }

  #watchReader(time: number, { minResponseDataRate: rate }: ServerLimits): void {
    const { queued, sent } = this.stream;
    if (rate === undefined || queued === 0) {
      this.#sendDeadline = Infinity;
    } else if (sent >= this.#sentMark || this.#sendDeadline === Infinity) {
      this.#sentMark = sent + queued;
      this.#sendDeadline = time + rate.gracePeriod + (queued * 1000) / rate.bytesPerSecond;
    } else if (time > this.#sendDeadline) {
      this.#sendDeadline = Infinity;
      this.stream.reset(errorCode.cancel);
      this.lost(new ClientGoneError("the client reads too slowly"));
    }
  }

  /** The server begins to close: who uses the tunnel is told. */
  shutDown(): void {
    this.#tunnel?.shutDown();
  }

  #makeBody(head: Http2RequestHead): Http2RequestBody {
    const owner = this.#owner;
    return new Http2RequestBody({
      length: head.length,
      maximum: owner.limits.maxRequestBodySize,
      onUsed: (count) => this.stream.used(count),
      onDropped: (count) => owner.credit(count),
      onGivenUp: () => this.#letGo(),
      onFirstRead: () => {
        if (head.expectContinue) this.response.sendContinue();
      },
    });
  }

  #makeFeatures(): ExchangeFeatures {
    const body = this.#body;
    if (body !== undefined) return { bodyLimit: body, bodyRate: body };
    return this.#protocol === undefined ? noFeatures : { upgrade: this.#upgradeFeature(this.#protocol) };
  }

  #upgradeFeature(protocol: string): UpgradeFeature {
    return { protocol, kind: "http2", accept: (head) => this.#accept(head) };
  }

  #accept(head: ResponseHead): Tunnel {
    const owner = this.#owner;
    if (head.status < 200 || head.status > 299) throw new ExchangeStateError(`${head.status} is no answer to an extended CONNECT`);
    if (!owner.mayTunnel()) throw new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
    this.response.give(head);
    const tunnel = new Http2Tunnel(this.stream, (count) => owner.credit(count), (cause) => this.responseAborted(cause));
    this.#tunnel = tunnel;
    if (this.#gone !== undefined || this.stream.closed) {
      tunnel.lost(new ClientGoneError("the client left before the exchange was over"));
      return tunnel;
    }
    this.#tunnelCounted = true;
    owner.tunnelOpened();
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) tunnel.take(early.bytes, early.start, early.end, true);
    if (this.#earlyEnd) tunnel.ended();
    if (owner.serverClosing) tunnel.shutDown();
    return tunnel;
  }

  #dropEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#owner.credit(early.length);
  }

  #malformed(code: string, message: string): void {
    const error = new BadRequestError(400, code, message);
    if (!this.stream.closed) {
      this.#owner.malformed(this.stream, error);
      return;
    }
    // A client that was answered gives the rest up. Some wait for a word that tells them so.
    this.#body?.fail(error);
    this.#owner.writer.reset(this.stream.id, errorCode.noError);
  }

  #finish(): void {
    if (this.#tunnelCounted) {
      this.#tunnelCounted = false;
      this.#owner.tunnelClosed();
    }
    if (this.#complete) return;
    this.#complete = true;
    this.#goneListener = this.#goneListeners = undefined;
    const listeners = this.#completeListeners;
    if (listeners === undefined) return;
    this.#completeListeners = undefined;
    for (const listener of listeners) this.#guarded(listener);
  }
}
