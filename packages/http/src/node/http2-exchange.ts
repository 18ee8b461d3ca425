import { constants, type ServerHttp2Stream } from "node:http2";
import type { BodySource } from "../body.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../errors.ts";
import type { ConnectionInfo, Exchange, ExchangeFeatures, RequestHead, ResponseHead, Tunnel, UpgradeFeature } from "../exchange.ts";
import type { ServerLimits } from "../server-limits.ts";
import { Http2RequestBody } from "./http2-request-body.ts";
import type { Http2RequestHead } from "./http2-request-head.ts";
import { Http2Response, type Http2ResponseOwner } from "./http2-response.ts";
import { responseFields } from "./http2-response-fields.ts";
import { resetStream } from "./reset-stream.ts";
import { Http2Tunnel } from "./http2-tunnel.ts";

/** What an exchange asks of the connection that its stream belongs to. */
export interface Http2ExchangeOwner {
  readonly info: ConnectionInfo;
  /** Bytes of a DATA frame were delivered. */
  received(count: number): void;
  /** False refuses one more tunnel. */
  mayTunnel(): boolean;
  tunnelOpened(): void;
  /** The server began to close. */
  readonly serverClosing: boolean;
  /** The stream is closed. `unread`: with bytes of the request still to come. */
  closed(exchange: Http2Exchange, unread: boolean): void;
}

/**
 * What leads from a stream to its exchange. V8 keeps Node's handle of a stream, and the stream, beyond several collections of young
 * objects, however long it is over: all that hangs on it would be copied each time, and grow old.
 */
const listened = ["close", "drain", "data", "end", "trailers", "wantTrailers"] as const;

/** One stream of an HTTP/2 connection as an exchange. */
export class Http2Exchange implements Exchange, Http2ResponseOwner {
  readonly request: RequestHead;
  readonly response: Http2Response;
  clientAddress: string | undefined = undefined;
  readonly features: ExchangeFeatures;
  readonly stream: ServerHttp2Stream;
  readonly #owner: Http2ExchangeOwner;
  readonly #body: Http2RequestBody | undefined;
  /** The request ended with its head. */
  readonly #whole: boolean;
  /** A tunnel was opened and counted. */
  tunnelled = false;
  #tunnel: Http2Tunnel | undefined;
  #complete = false;
  #gone: Error | undefined;
  #goneListeners: ((cause: Error) => void)[] = [];
  #completeListeners: (() => void)[] = [];
  /** For the rate of the response: what had left by when, and until when more must leave. */
  #left = 0;
  #leaveDeadline = Infinity;

  constructor(owner: Http2ExchangeOwner, stream: ServerHttp2Stream, head: Http2RequestHead, whole: boolean, maximumBody: number | undefined) {
    this.#owner = owner;
    this.stream = stream;
    this.request = head.request;
    this.#whole = whole;
    this.response = new Http2Response(stream, this, head.request.method === "HEAD");
    const { protocol } = head;
    if (!whole && protocol === undefined) {
      this.#body = new Http2RequestBody(stream, {
        length: head.length,
        maximum: maximumBody,
        onFirstRead: () => {
          if (head.expectContinue) this.response.sendContinue();
        },
        onBytes: (count) => owner.received(count),
      });
    }
    this.features = { bodyLimit: this.#body, bodyRate: this.#body, upgrade: protocol === undefined ? undefined : this.#upgradeFeature(protocol) };
    stream.on("close", () => this.#streamClosed());
  }

  get connection(): ConnectionInfo {
    return this.#owner.info;
  }

  get body(): BodySource | undefined {
    return this.#body;
  }

  onClientGone(listener: (cause: Error) => void): void {
    if (this.#gone !== undefined) listener(this.#gone);
    else if (!this.#complete) this.#goneListeners.push(listener);
  }

  onComplete(listener: () => void): void {
    if (this.#complete) listener();
    else this.#completeListeners.push(listener);
  }

  responseEnded(): void {
    this.response.close();
    this.#finish();
    if (!this.#whole && this.#body?.wanted !== true && this.#body?.complete !== true) refuseRest(this.stream);
  }

  responseAborted(cause: Error): void {
    this.#body?.fail(cause);
    this.#finish();
  }

  /** Looks at the rates of both bodies; `elapsed` and `time` are in milliseconds. */
  watch(time: number, elapsed: number, limits: ServerLimits): void {
    const body = this.#body;
    const slowest = limits.minRequestBodyDataRate;
    if (slowest !== undefined && body?.awaitsClient === true && !body.lifted) {
      body.waited += elapsed;
      if (body.waited > slowest.gracePeriod && body.received * 1000 < slowest.bytesPerSecond * body.waited) {
        body.fail(new BadRequestError(408, "BODY_TOO_SLOW", "the body comes too slowly"));
      }
    }
    if (this.#tunnel === undefined) this.#watchReader(time, limits);
  }

  #watchReader(time: number, { minResponseDataRate: rate }: ServerLimits): void {
    const { pending, written } = this.response;
    const left = written - pending;
    if (rate === undefined || pending === 0) {
      this.#leaveDeadline = Infinity;
    } else if (left !== this.#left || this.#leaveDeadline === Infinity) {
      this.#leaveDeadline = time + rate.gracePeriod + (pending * 1000) / rate.bytesPerSecond;
    } else if (time > this.#leaveDeadline) {
      this.#leaveDeadline = Infinity;
      resetStream(this.stream, constants.NGHTTP2_CANCEL);
    }
    this.#left = left;
  }

  /** The server begins to close: who uses the tunnel is told. */
  shutDown(): void {
    this.#tunnel?.shutDown();
  }

  #upgradeFeature(protocol: string): UpgradeFeature {
    return { protocol, kind: "http2", accept: (head) => this.#accept(head) };
  }

  #accept(head: ResponseHead): Tunnel {
    const { stream } = this;
    const owner = this.#owner;
    if (head.status < 200 || head.status > 299) throw new ExchangeStateError(`${head.status} is no answer to an extended CONNECT`);
    if (!owner.mayTunnel()) throw new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
    const { lines } = responseFields(head, false, undefined);
    this.response.give(head.status);
    const tunnel = new Http2Tunnel(stream, (count) => owner.received(count));
    this.#tunnel = tunnel;
    if (stream.destroyed || stream.closed) {
      tunnel.closed(new ClientGoneError("the client left before the exchange was over"));
      return tunnel;
    }
    this.tunnelled = true;
    owner.tunnelOpened();
    if (owner.serverClosing) tunnel.shutDown();
    stream.respond(lines as unknown as Record<string, string>);
    return tunnel;
  }

  #streamClosed(): void {
    const body = this.#body;
    const unread = !this.#whole && body?.complete !== true && (this.#tunnel === undefined || this.stream.rstCode !== 0);
    // Most streams close when all is over: an error, with its stack, is made only for those that do not.
    if (this.#tunnel !== undefined || !this.#complete || (body !== undefined && !body.complete)) this.#lost(body);
    this.#owner.closed(this, unread);
    for (const event of listened) this.stream.removeAllListeners(event);
  }

  #lost(body: Http2RequestBody | undefined): void {
    const cause = new ClientGoneError(`the client reset the stream or left (${this.stream.rstCode})`);
    if (this.#tunnel !== undefined) {
      this.#tunnel.closed(cause);
    } else if (!this.#complete) {
      this.#gone = cause;
      this.response.close();
      const listeners = this.#goneListeners;
      this.#goneListeners = [];
      for (const listener of listeners) listener(cause);
    }
    body?.fail(cause);
    this.#finish();
  }

  #finish(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#goneListeners = [];
    const listeners = this.#completeListeners;
    this.#completeListeners = [];
    for (const listener of listeners) listener();
  }
}

/** RFC 9113, 8.1: after a complete answer to a request whose rest nobody wants. The answer must leave before the reset. */
export function refuseRest(stream: ServerHttp2Stream): void {
  setImmediate(() => {
    if (stream.destroyed) return;
    stream.close(constants.NGHTTP2_NO_ERROR);
    stream.resume();
  });
}
