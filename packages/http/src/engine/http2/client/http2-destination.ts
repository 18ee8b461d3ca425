import type { Socket } from "node:net";
import {
  DestinationError,
  type DestinationCall,
  type DestinationClient,
  type DestinationErrorOptions,
  type DestinationHandler,
  type DestinationRequest,
} from "../../../destination-client.ts";
import { CallQueue } from "../../client/call-queue.ts";
import type { EngineDestination } from "../../client/engine-destination.ts";
import type { Timed, TimerWheel } from "../../timer-wheel.ts";
import { Http2Call } from "./call.ts";
import { Http2ClientConnection } from "./connection.ts";
import type { NegotiatedSocket } from "./negotiated-socket.ts";
import { requestFields } from "./request-fields.ts";

/** How many requests a connection is expected to take before its destination has said so: what RFC 9113, 6.5.2 recommends. */
const usualStreams = 100;

export interface Http2DestinationOptions {
  /** Whether further connections are opened when all streams of the first are taken. */
  readonly multipleConnections: boolean;
  /** Told each time TLS settled on HTTP/2, or on HTTP/1.1. */
  readonly onNegotiated: (version: "1.1" | "2") => void;
}

/**
 * The HTTP/2 connections to one origin. A request takes a stream of the first connection that has one free, so that those
 * not needed grow old; else it waits, and connections are opened for those who wait as far as that is allowed. Where TLS
 * settles on HTTP/1.1 the socket goes to the engine, and with it the requests that HTTP/1.1 will do for.
 */
export class Http2Destination implements DestinationClient, Timed {
  /** Looked at by every tick while a connection exists. */
  deadline = 0;
  wheelIndex = -1;
  /** The connections of the engine to the same origin: whose settings hold here too. */
  readonly http1: EngineDestination;
  readonly wheel: TimerWheel;
  /** `destination https://host:port`, for messages. */
  readonly name: string;
  readonly #options: Http2DestinationOptions;
  /** Those that may take requests, the oldest first. */
  readonly #sessions: Http2ClientConnection[] = [];
  readonly #openings = new Set<Http2ClientConnection>();
  /** All whose socket is not closed yet. */
  readonly #all = new Set<Http2ClientConnection>();
  readonly #queue = new CallQueue<Http2Call>();
  #expectedStreams = usualStreams;
  #closing = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(http1: EngineDestination, options: Http2DestinationOptions) {
    this.http1 = http1;
    this.wheel = http1.wheel;
    this.name = http1.name;
    this.#options = options;
  }

  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall {
    return this.sendOver(request, handler, false);
  }

  /** As `send`; with `flexible` HTTP/1.1 will do as well, if that is what TLS settles on. */
  sendOver(request: DestinationRequest, handler: DestinationHandler, flexible: boolean): DestinationCall {
    const fields = requestFields(request, this.http1.origin.scheme, this.http1.host);
    if (!Array.isArray(fields)) {
      const call = new Http2Call(this, request, handler, [], false);
      call.fail(this.#refusal(`the request cannot be sent: ${fields.fault}`, { step: "request", source: "gateway" }));
      return call;
    }
    const call = new Http2Call(this, request, handler, fields, flexible);
    if (this.#closing) {
      call.fail(this.#refusal("the client is closed", { step: "connect", source: "gateway" }));
      return call;
    }
    for (const session of this.#sessions) {
      if (session.available) {
        this.#begin(session, call);
        return call;
      }
    }
    if (!this.#mayOpen && this.#queue.size - this.#openings.size * this.#expectedStreams >= this.http1.options.maxQueuedRequests) {
      call.fail(this.#refusal("too many requests wait for a stream", { step: "connect", overloaded: true }));
      return call;
    }
    this.enqueue(call);
    return call;
  }

  /** Opens a connection ahead of requests. */
  prewarm(): void {
    if (this.#all.size === 0) this.#open();
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#closed ??= Promise.withResolvers<void>();
    this.#leaveIfDone();
    this.#settle();
    return this.#closed.promise;
  }

  destroy(cause?: Error): void {
    this.#closing = true;
    const reason = cause ?? new Error("the client was destroyed");
    this.#failWaiting("the client was shut down", { step: "connect", source: "gateway", cause: reason });
    for (const session of this.#all) session.cut(reason);
    this.#settle();
  }

  /** `call` waits for a stream. */
  enqueue(call: Http2Call): void {
    call.queuedSince = this.wheel.after(0);
    this.#queue.push(call);
    this.#serve();
  }

  /** Nobody wants the answer of `call` any more, which waits. The connection being opened for it goes on, for others. */
  leaveQueue(call: Http2Call): void {
    this.#queue.remove(call);
    this.#leaveIfDone();
  }

  // What sessions tell

  sessionOpened(session: Http2ClientConnection): void {
    this.#openings.delete(session);
    this.#sessions.push(session);
    if (session.limit > 0) this.#expectedStreams = session.limit;
    if (this.http1.tls !== undefined) this.#options.onNegotiated("2");
    this.#serve();
  }

  /** A stream is free, or more of them are allowed. */
  sessionFree(): void {
    this.#serve();
  }

  /** `session` takes no more requests. */
  sessionLeft(session: Http2ClientConnection): void {
    const index = this.#sessions.indexOf(session);
    if (index < 0) return;
    this.#sessions.splice(index, 1);
    this.#openForWaiting();
  }

  sessionClosed(session: Http2ClientConnection): void {
    this.#openings.delete(session);
    this.#all.delete(session);
    this.#settle();
  }

  /** Those who wait go on waiting for what else is there; alone they would each meet the same. */
  openingFailed(session: Http2ClientConnection, fault: string, options: Omit<DestinationErrorOptions, "step" | "requestSent">): void {
    this.#openings.delete(session);
    if (this.#sessions.length === 0 && this.#openings.size === 0) this.#failWaiting(fault, { ...options, step: "connect" });
  }

  /** TLS settled on HTTP/1.1. */
  openedHttp1(session: Http2ClientConnection, negotiated: NegotiatedSocket, socket: Socket): void {
    this.#openings.delete(session);
    this.#all.delete(session);
    this.http1.adopt(negotiated, socket);
    this.#options.onNegotiated("1.1");
    for (let count = this.#queue.size; count > 0; count--) {
      const call = this.#queue.shift();
      if (call?.flexible === true) call.takeOver(this.http1);
      else call?.fail(this.#refusal("it speaks HTTP/1.1 only, and HTTP/2 was asked for", { step: "connect", versionUnavailable: true }));
    }
    this.#settle();
  }

  onDeadline(time: number): void {
    for (const session of this.#all) session.check(time);
    const { queueTimeout } = this.http1.options;
    if (queueTimeout === Infinity || this.#openings.size > 0) return;
    for (let call = this.#queue.first; call !== undefined && time - call.queuedSince >= queueTimeout; call = this.#queue.first) {
      this.#queue.remove(call);
      call.fail(this.#refusal(`no stream was free within ${queueTimeout} ms`, { step: "connect", timedOut: true }));
    }
    this.#leaveIfDone();
  }

  get #mayOpen(): boolean {
    if (this.#sessions.length + this.#openings.size === 0) return true;
    // One that allows no streams now says that it wants none, not that it wants more connections.
    return this.#options.multipleConnections && !this.#sessions.some((session) => session.limit === 0);
  }

  #begin(session: Http2ClientConnection, call: Http2Call): void {
    if (call.request.upgrade === undefined || session.connectProtocol) session.start(call);
    else call.fail(this.#refusal("it takes no extended CONNECT", { step: "connect", versionUnavailable: true }));
  }

  #serve(): void {
    if (this.#queue.size === 0) {
      this.#leaveIfDone();
      return;
    }
    for (let i = 0; i < this.#sessions.length; i++) {
      const session = this.#sessions[i] as Http2ClientConnection;
      while (session.available) {
        const call = this.#queue.shift();
        if (call === undefined) {
          this.#leaveIfDone();
          return;
        }
        this.#begin(session, call);
      }
    }
    this.#openForWaiting();
  }

  #openForWaiting(): void {
    while (this.#queue.size > this.#openings.size * this.#expectedStreams && this.#mayOpen) {
      if (!this.#open()) return;
    }
  }

  #open(): boolean {
    try {
      const session = new Http2ClientConnection(this);
      this.#openings.add(session);
      this.#all.add(session);
      this.wheel.add(this);
      return true;
    } catch (cause) {
      // Only what no peer can bring about: an origin or TLS setting that Node refuses.
      this.#failWaiting("no connection", { step: "connect", source: "gateway", cause });
      return false;
    }
  }

  #failWaiting(fault: string, options: Omit<DestinationErrorOptions, "requestSent">): void {
    // Handlers may send anew: those are not meant.
    for (let count = this.#queue.size; count > 0; count--) this.#queue.shift()?.fail(this.#refusal(fault, options));
  }

  /** While closing: connections that nobody waits for go. */
  #leaveIfDone(): void {
    if (!this.#closing || this.#queue.size > 0) return;
    for (const session of this.#all) session.leave();
  }

  #settle(): void {
    if (this.#all.size > 0) return;
    this.wheel.remove(this);
    if (this.#closing) this.#closed?.resolve();
  }

  #refusal(fault: string, options: Omit<DestinationErrorOptions, "requestSent">): DestinationError {
    return new DestinationError(`${this.name}: ${fault}`, { ...options, requestSent: false });
  }
}
