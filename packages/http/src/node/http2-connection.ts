/**
 * One HTTP/2 connection of a client: the only owner of its session and socket. Its life:
 *
 * 1. the preface and SETTINGS, within the time for a head;
 * 2. streams, each an exchange; what is malformed is answered or reset, floods end the connection;
 * 3. GOAWAY, twice at a shutdown so that no request under way is lost (RFC 9113, 6.8), or once when idle;
 * 4. the socket closes, by itself or after a moment by force.
 */
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { BadRequestError, ClientGoneError } from "../errors.ts";
import type { ConnectionInfo } from "../exchange.ts";
import { HeaderList } from "../header-list.ts";
import type { Timed } from "../engine/timer-wheel.ts";
import { Http2Exchange, refuseRest, type Http2ExchangeOwner } from "./http2-exchange.ts";
import { Http2FloodGuard } from "./http2-flood-guard.ts";
import { readHttp2RequestHead, type Http2RequestHead } from "./http2-request-head.ts";
import type { Http2Context } from "./http2-sessions.ts";

/** Streams at once: Kestrel's. */
const maximumStreams = 100;
/** Bytes of one request body that may be on their way, and of all bodies of a connection. */
const streamWindow = 262_144;
const connectionWindow = 1_048_576;
/** How long a connection that was told to go may take to close its socket. */
const lingerTime = 5000;
/** How long the answer to the PING after the first GOAWAY is waited for. */
const goodbyeTime = 1000;
/** RFC 9113, 6.8: "no more streams soon", which refuses none. */
const noStreamYet = 2 ** 31 - 1;

export class Http2Connection implements Timed, Http2ExchangeOwner {
  readonly info: ConnectionInfo;
  deadline: number;
  wheelIndex = -1;
  readonly #context: Http2Context;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #guard: Http2FloodGuard;
  readonly #exchanges = new Set<Http2Exchange>();
  /** The server began to close, and not only this connection. */
  serverClosing = false;
  #requests = 0;
  #ready = false;
  #leaving = false;
  #lastLook: number;
  #idleSince: number;
  /** When the session is closed after the first GOAWAY, and when the socket. */
  #goodbyeAt = Infinity;
  #cutAt = Infinity;

  constructor(context: Http2Context, socket: Socket, info: ConnectionInfo) {
    this.#context = context;
    this.#socket = socket;
    this.info = info;
    const { wheel, limits } = context;
    this.#lastLook = this.#idleSince = wheel.time;
    this.#guard = new Http2FloodGuard(wheel.time);
    this.deadline = wheel.time;
    // A FIN ends an HTTP/2 connection, whichever server accepted it.
    socket.allowHalfOpen = false;
    // The session tells of it.
    socket.on("error", ignore);
    socket.on("close", () => this.#closed());
    const session = performServerHandshake(socket, sessionOptions(limits.maxRequestHeadersTotalSize, limits.maxRequestLineSize, limits.maxRequestHeaderCount));
    this.#session = session;
    session.setLocalWindowSize(connectionWindow);
    session.on("stream", (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw?: string[]) => this.#stream(stream, flags, raw ?? []));
    session.on("remoteSettings", () => {
      this.#ready = true;
      this.#guard.settings();
    });
    session.on("ping", () => this.#guard.ping());
    // What a client does wrong is no fault of ours, whatever Node's code for it.
    session.on("error", (error) => this.#fault(new Error(`the HTTP/2 connection failed: ${error.message}`, { cause: error })));
    session.on("close", () => this.#leave());
    wheel.add(this);
  }

  /** Finishes what is under way and closes. */
  shutDown(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    const session = this.#session;
    if (session.destroyed || session.closed) return;
    this.#goodbyeAt = this.#context.wheel.after(goodbyeTime);
    session.goaway(constants.NGHTTP2_NO_ERROR, noStreamYet);
    // What the client sent before it heard of it comes before its answer.
    const answered = session.ping(() => this.#goodbye());
    if (!answered) this.#goodbye();
  }

  /** The server begins to close. */
  serverCloses(): void {
    this.serverClosing = true;
    for (const exchange of this.#exchanges) exchange.shutDown();
    this.shutDown();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  onDeadline(time: number): void {
    this.deadline = time;
    const elapsed = time - this.#lastLook;
    this.#lastLook = time;
    if (time >= this.#cutAt) {
      this.#socket.destroy();
      return;
    }
    if (time >= this.#goodbyeAt) this.#goodbye();
    let held = 0;
    for (const exchange of this.#exchanges) {
      held += exchange.stream.readableLength;
      exchange.watch(time, elapsed, this.#context.limits);
    }
    const flood = this.#guard.check(time, this.#socket.bytesRead, this.#socket.bytesWritten, held);
    if (flood !== undefined) this.#calm(flood);
    else if (this.#exchanges.size === 0) this.#checkIdle(time);
  }

  received(count: number): void {
    this.#guard.data(count);
  }

  mayTunnel(): boolean {
    return this.#context.mayTunnel();
  }

  tunnelOpened(): void {
    this.#context.budget.takeUpgraded();
  }

  closed(exchange: Http2Exchange, unread: boolean): void {
    this.#exchanges.delete(exchange);
    if (exchange.tunnelled) this.#context.budget.freeUpgraded();
    if (unread) this.#guard.abandoned(streamWindow);
    const { rstCode } = exchange.stream;
    if (rstCode !== constants.NGHTTP2_NO_ERROR && !exchange.response.ended) this.#guard.reset();
    if (this.#exchanges.size === 0) this.#idleSince = this.#context.wheel.time;
  }

  #stream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    // Every fault of a stream shows in its close.
    stream.on("error", ignore);
    let size = 0;
    for (const text of raw) size += text.length;
    this.#guard.head(raw.length / 2, size);
    if (stream.destroyed || stream.closed) {
      this.#guard.reset();
      return;
    }
    const { limits } = this.#context;
    if (this.#exchanges.size >= maximumStreams || this.#session.closed) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const whole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    let head: Http2RequestHead;
    try {
      head = readHttp2RequestHead(raw, this.#context.scheme, limits);
      if (head.protocol !== undefined && !this.mayTunnel()) {
        throw new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
      }
    } catch (error) {
      this.#refuse(stream, whole, error);
      return;
    }
    const exchange = new Http2Exchange(this, stream, head, whole, limits.maxRequestBodySize);
    this.#exchanges.add(exchange);
    if (++this.#requests === limits.maxRequestsPerConnection) this.shutDown();
    this.#handle(exchange);
  }

  #handle(exchange: Http2Exchange): void {
    try {
      const result = this.#context.handler(exchange);
      if (result !== undefined) result.then(undefined, (error: unknown) => this.#handlerFailed(exchange, error));
    } catch (error) {
      this.#handlerFailed(exchange, error);
    }
  }

  #handlerFailed(exchange: Http2Exchange, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error("a value that is no error was thrown", { cause: thrown });
    const { response } = exchange;
    if (!(error instanceof ClientGoneError)) this.#fault(error);
    if (response.ended) return;
    if (response.started) response.abort(error);
    else response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }

  /** Answers a request that no handler sees. */
  #refuse(stream: ServerHttp2Stream, whole: boolean, thrown: unknown): void {
    const error = thrown instanceof BadRequestError ? thrown : new BadRequestError(500, "INTERNAL", "the request could not be read", { cause: thrown });
    this.#fault(error);
    stream.on("close", () => this.#guard.abandoned(streamWindow));
    stream.respond({ ":status": error.status }, { endStream: true });
    if (!whole) refuseRest(stream);
  }

  #checkIdle(time: number): void {
    const { limits } = this.#context;
    if (this.#leaving) return;
    const allowed = this.#ready ? limits.keepAliveTimeout : limits.requestHeadersTimeout;
    if (time - this.#idleSince > allowed) this.#goodbye();
  }

  /** The final GOAWAY: what is under way goes on, nothing new is taken. */
  #goodbye(): void {
    this.#leaving = true;
    this.#goodbyeAt = Infinity;
    const session = this.#session;
    if (session.destroyed || session.closed) return;
    if (this.#exchanges.size === 0) this.#leave();
    session.close();
  }

  #calm(reason: string): void {
    this.#fault(new Error(`the HTTP/2 connection is ended: ${reason}`));
    const session = this.#session;
    if (!session.destroyed) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.#leave();
  }

  #leave(): void {
    this.#leaving = true;
    if (this.#cutAt === Infinity) this.#cutAt = this.#context.wheel.after(lingerTime);
  }

  #closed(): void {
    this.#context.wheel.remove(this);
    this.#session.destroy();
    this.#context.connectionClosed(this);
  }

  #fault(error: Error): void {
    this.#context.onFault(error, this.info.id);
  }
}

function sessionOptions(headersSize: number, lineSize: number, headerCount: number) {
  return {
    settings: {
      maxConcurrentStreams: maximumStreams,
      initialWindowSize: streamWindow,
      // As RFC 9113, 6.5.2 counts: 32 bytes for each field on top. A little more is answered with 431, much more is reset.
      maxHeaderListSize: headersSize + lineSize + (headerCount + 8) * 32,
      enableConnectProtocol: true,
    },
    maxHeaderListPairs: headerCount * 2 + 8,
    maxSessionInvalidFrames: 100,
    maxSettings: 32,
    maxOutstandingPings: 10,
    streamResetBurst: 200,
    streamResetRate: 33,
    // A client's or destination's repeated field is passed on, not refused in the middle of an answer.
    strictSingleValueFields: false,
  };
}

function ignore(): void {}
