import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationErrorOptions,
  type DestinationHandler,
  type DestinationOrigin,
  type DestinationRequest,
} from "../../destination-client.ts";
import type { Timed, TimerWheel } from "../timer-wheel.ts";
import { ClientConnection } from "./client-connection.ts";
import { EngineCall } from "./engine-call.ts";
import type { Socket } from "node:net";
import type { NegotiatedSocket } from "../http2/client/negotiated-socket.ts";
import type { DestinationTls } from "../../tls/destination-tls.ts";
import { IdleConnections } from "./idle-connections.ts";
import type { OpenSocketOptions } from "./open-socket.ts";
import type { PoolOptions } from "./pool-options.ts";
import { type ProxiedHead, requestHead } from "./request-head.ts";
import { WaitingCalls } from "./waiting-calls.ts";
import { authorityOf, type WebProxy } from "./web-proxy.ts";

/** How connections come about: directly, or over a web proxy that is asked for whole URLs or for tunnels. */
export interface ConnectionMeans {
  /** Undefined: cleartext. */
  readonly tls: DestinationTls | undefined;
  readonly lookup: OpenSocketOptions["lookup"];
  readonly localAddress: OpenSocketOptions["localAddress"];
  readonly proxy?: WebProxy | undefined;
  /** Where requests for another protocol go: a proxy that is asked for URLs could not pass them on. */
  readonly upgrades?: EngineDestination | undefined;
}

/**
 * The connections to one origin. A request takes the idle connection used last, so that those not needed grow
 * old; else it waits, and a connection is opened for it unless there are `maxConnections`. A waiting request
 * takes whatever comes first, its own connection or another that fell free.
 */
export class EngineDestination implements DestinationClient, Timed {
  /** Looked at by every tick while a connection exists. */
  deadline = 0;
  wheelIndex = -1;
  readonly origin: DestinationOrigin;
  readonly options: PoolOptions;
  readonly tls: DestinationTls | undefined;
  /** What the opening of a connection needs beyond the origin. */
  readonly means: Pick<OpenSocketOptions, "tls" | "lookup" | "localAddress" | "tunnelOver" | "instead">;
  /** Requests name the whole URL, for the proxy that gets them. */
  readonly proxied: ProxiedHead | undefined;
  readonly wheel: TimerWheel;
  /** Who has more to say about the origin, and lives as long as this. */
  owner: unknown;
  /** `destination http://host:port`, for messages. */
  readonly name: string;
  readonly #upgrades: EngineDestination | undefined;
  #session: Buffer | undefined;
  #sessionGeneration = 0;
  /** Host and port of a request that names none. */
  readonly host: string;
  readonly #idle: IdleConnections;
  /** All whose socket is not closed yet. */
  readonly #connections = new Set<ClientConnection>();
  readonly #waiting = new WaitingCalls();
  /** Connections that count against the limit: being opened, idle, busy and tunnels. */
  #open = 0;
  #connecting = 0;
  #closing = false;
  #connectingWaiting = false;
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;

  constructor(origin: DestinationOrigin, options: PoolOptions, means: ConnectionMeans, wheel: TimerWheel) {
    const { tls, lookup, localAddress, proxy, upgrades } = means;
    this.origin = origin;
    this.options = options;
    this.tls = tls;
    this.#upgrades = upgrades;
    const asksForUrls = proxy !== undefined && upgrades !== undefined;
    this.means = asksForUrls ? { tls, lookup, localAddress, instead: proxy } : { tls, lookup, localAddress, tunnelOver: proxy };
    this.proxied = asksForUrls ? proxiedHead(proxy, origin) : undefined;
    this.wheel = wheel;
    this.#idle = new IdleConnections(options, tls, wheel);
    const host = origin.host.includes(":") ? `[${origin.host}]` : origin.host;
    const usualPort = origin.scheme === "https" ? 443 : 80;
    this.host = origin.port === usualPort ? host : `${host}:${origin.port}`;
    this.name = `destination ${origin.scheme}://${host}:${origin.port}`;
  }

  /** The TLS session to take up with the next connection. */
  get session(): Buffer | undefined {
    // One of other settings would be taken up without looking at certificates again.
    return this.#sessionGeneration === this.tls?.generation ? this.#session : undefined;
  }

  set session(session: Buffer | undefined) {
    this.#session = session;
    this.#sessionGeneration = this.tls?.generation ?? 0;
  }

  /** How a connection comes about that nobody reads whole URLs from. */
  get tunnelMeans(): Pick<OpenSocketOptions, "tls" | "lookup" | "localAddress" | "tunnelOver"> {
    return this.#upgrades?.means ?? this.means;
  }

  /** It has a connection, not merely one that is being opened. */
  get connected(): boolean {
    return this.#open > this.#connecting;
  }

  /** Takes over a connection that was opened before it was known to speak HTTP/1.1; closed when there are enough. */
  adopt(negotiated: NegotiatedSocket, socket: Socket): void {
    if (this.#closing || this.#open >= this.options.maxConnections) {
      socket.destroy();
      return;
    }
    this.#open++;
    this.#connecting++;
    const connection = new ClientConnection(this, undefined, ({ onread }, listener) => negotiated.give(listener, onread));
    this.#connections.add(connection);
    this.wheel.add(this);
    connection.socketOpened(socket);
  }

  /** Opens connections ahead of requests. When they fail, the requests that need them tell why. */
  prewarm(): void {
    while (this.#open < Math.min(this.options.prewarm, this.options.maxConnections)) {
      const connection = this.#openConnection(undefined);
      if (!(connection instanceof ClientConnection)) return;
      this.#waiting.addSpare(connection);
    }
  }

  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    if (request.upgrade !== undefined && this.#upgrades !== undefined) return this.#upgrades.send(request, handler);
    const head = requestHead(request, this.host, this.proxied);
    if (typeof head !== "string") {
      const call = new EngineCall(this, request, handler, "");
      call.fail(this.#refusal(`the request cannot be sent: ${head.fault}`, { step: "request", source: "gateway" }));
      return call;
    }
    const call = new EngineCall(this, request, handler, head);
    if (request.upgrade !== undefined && request.httpVersion === "2" && request.versionPolicy === "RequestVersionExact") {
      call.fail(this.#refusal("an upgrade over HTTP/2 is asked of HTTP/1.1", { step: "connect", source: "gateway", versionUnavailable: true }));
      return call;
    }
    if (this.#closing) {
      call.fail(this.#refusal("the client is closed", { step: "connect", source: "gateway" }));
      return call;
    }
    const connection = this.#idle.take();
    if (connection === undefined) this.#wait(call);
    else connection.start(call);
    return call;
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#idle.closeAll();
    this.#settle();
    return this.#closed;
  }

  destroy(cause?: Error): void {
    this.#closing = true;
    const reason = cause ?? new Error("the client was destroyed");
    for (let call = this.#waiting.abandon(); call !== undefined; call = this.#waiting.abandon()) {
      call.fail(this.#refusal("the client was shut down", { step: "connect", source: "gateway", cause: reason }));
    }
    this.#idle.forgetAll();
    for (const connection of this.#connections) connection.cut(reason);
    this.#settle();
  }

  /** The caller of `call` wants no more of it. */
  giveUp(call: EngineCall): void {
    if (call.connection !== undefined) call.connection.destroy();
    else this.#waiting.leave(call);
  }

  /** Ends `call` with `error`, and its connection with it. */
  stop(call: EngineCall, error: DestinationError): void {
    const { connection } = call;
    if (connection === undefined) this.#waiting.leave(call);
    else connection.destroy();
    call.fail(error);
  }

  /** Takes `call` out of the queue. The connection being opened for it goes on, for others. */
  leaveQueue(call: EngineCall): void {
    this.#waiting.leave(call);
  }

  /** Sends `call` once more, on a connection of its own: another idle one may be as dead as the last. */
  resend(call: EngineCall): void {
    call.resent = true;
    this.#connect(call);
  }

  connectionOpened(connection: ClientConnection): void {
    this.#connecting--;
    this.#waiting.opened(connection);
    const { initiator } = connection;
    connection.initiator = undefined;
    if (initiator !== undefined) initiator.attempt = undefined;
    if (initiator !== undefined && initiator.resent) {
      connection.start(initiator);
      return;
    }
    this.#serve(connection);
  }

  /** `connection` can take another request. */
  connectionFree(connection: ClientConnection): void {
    if (this.#idle.isAged(connection)) {
      connection.destroy();
      return;
    }
    this.#serve(connection);
  }

  /** `connection` was given up, open or not: its place is free. */
  connectionLost(connection: ClientConnection): void {
    this.#open--;
    if (!connection.opened) this.#connecting--;
    this.#waiting.opened(connection);
    this.#idle.remove(connection);
    this.#connectForWaiting();
  }

  /** The socket of `connection` is closed. */
  connectionClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.wheel.remove(this);
    this.#settle();
  }

  onDeadline(time: number): void {
    const { queueTimeout } = this.options;
    this.#idle.sweep(time);
    if (queueTimeout === Infinity) return;
    this.#waiting.expire(time, queueTimeout, (call) =>
      call.fail(this.#refusal(`no connection was free within ${queueTimeout} ms`, { step: "connect", timedOut: true })));
  }

  #wait(call: EngineCall): void {
    const { spare } = this.#waiting;
    const mayOpen = spare !== undefined || this.#open < this.options.maxConnections;
    if (!mayOpen && this.#waiting.size - this.#connecting >= this.options.maxQueuedRequests) {
      call.fail(this.#refusal("too many requests wait for a connection", { step: "connect", overloaded: true }));
      return;
    }
    call.queuedSince = this.wheel.after(0);
    this.#waiting.push(call);
    if (spare !== undefined) this.#waiting.assign(spare, call);
    else if (mayOpen) this.#connect(call);
  }

  #connect(call: EngineCall): void {
    const connection = this.#openConnection(call);
    if (connection instanceof ClientConnection) {
      call.attempt = connection;
      return;
    }
    this.#waiting.leave(call);
    call.fail(this.#refusal("no connection", { step: "connect", source: "gateway", cause: connection.cause }));
  }

  /** The `cause` when it cannot be tried: only what no peer can bring about, an origin or TLS setting that Node refuses. */
  #openConnection(call: EngineCall | undefined): ClientConnection | { readonly cause: unknown } {
    this.#open++;
    this.#connecting++;
    try {
      const connection = new ClientConnection(this, call);
      this.#connections.add(connection);
      this.wheel.add(this);
      return connection;
    } catch (cause) {
      this.#open--;
      this.#connecting--;
      return { cause };
    }
  }

  /** Waiting calls beyond the connections being opened get their own, as far as the limit allows. */
  #connectForWaiting(): void {
    if (this.#connectingWaiting) return;
    this.#connectingWaiting = true;
    this.#waiting.connectEach(() => this.#open < this.options.maxConnections, (call) => this.#connect(call));
    this.#connectingWaiting = false;
  }

  #serve(connection: ClientConnection): void {
    const call = this.#waiting.take();
    if (call !== undefined) {
      connection.start(call);
      return;
    }
    if (this.#closing) {
      connection.destroy();
      return;
    }
    this.#idle.put(connection);
  }

  #settle(): void {
    if (!this.#closing || this.#connections.size > 0) return;
    this.session = undefined;
    this.#resolveClosed?.();
    this.#resolveClosed = undefined;
  }

  #refusal(fault: string, options: Omit<DestinationErrorOptions, "requestSent">): DestinationError {
    return new DestinationError(`${this.name}: ${fault}`, { ...options, requestSent: false });
  }
}

function proxiedHead(proxy: WebProxy, origin: DestinationOrigin): ProxiedHead {
  return {
    prefix: `${origin.scheme}://${authorityOf(origin)}`,
    fields: proxy.credentials === undefined ? "" : `Proxy-Authorization: ${proxy.credentials}\r\n`,
  };
}
