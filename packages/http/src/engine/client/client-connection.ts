import type { Socket } from "node:net";
import { DestinationError, type DestinationErrorStep } from "../../destination-client.ts";
import type { ResponseHead } from "../../exchange.ts";
import type { Timed } from "../timer-wheel.ts";
import { ClientTunnel } from "./client-tunnel.ts";
import type { EngineCall } from "./engine-call.ts";
import type { EngineDestination } from "./engine-destination.ts";
import { openSocket, type SocketListener, type SocketOpening } from "./open-socket.ts";
import { readBuffers } from "../read-buffers.ts";
import { ResponseReader } from "./response-reader.ts";
import { destinationFault, refusesClientCertificate } from "../../tls/destination-fault.ts";

/** How long a body waits for 100 (Continue); the destination may not know about it (RFC 9110, 10.1.1). */
const continueTimeout = 1000;
/** How long a destination that has answered may take for what is left of a request. */
const flushTimeout = 5000;

const nothing = new Uint8Array(0);
const alpnProtocols = ["http/1.1"];

type State = "connecting" | "open" | "tunnel" | "closed";

/**
 * One connection to a destination and the only owner of its socket, from opening to close:
 *
 * 1. connecting: under the connect timeout, which covers DNS, TCP and TLS;
 * 2. idle: any byte or end from the peer closes it;
 * 3. busy with one call: request out, response in, both at once;
 * 4. back to idle when both are complete, nothing is left over and the peer keeps it open; a tunnel after 101;
 *    closed in all other cases.
 */
export class ClientConnection implements Timed, SocketListener {
  deadline = Infinity;
  wheelIndex = -1;
  /** The call that this connection was opened for, until some call is served. */
  initiator: EngineCall | undefined;
  /** It was connected, and with TLS verified. */
  opened = false;
  /** In the time of the wheel. */
  openedAt = 0;
  /** Of the TLS settings that it was opened with. */
  readonly tlsGeneration: number;
  idleSince = 0;
  /** While idle: when it is closed, in the time of the wheel. */
  idleUntil = Infinity;
  /** How long the peer keeps it idle, in milliseconds. */
  announced = Infinity;
  /** It does not hold the process open. */
  resting = false;
  readonly #destination: EngineDestination;
  readonly #opening: SocketOpening;
  /** Once it is open. */
  #socket!: Socket;
  readonly #reader: ResponseReader;
  #state: State = "connecting";
  #call: EngineCall | undefined;
  /** Requests begun on this connection. */
  #served = 0;
  #tunnel: ClientTunnel | undefined;
  /** Its own read buffer, while it is in the middle of a body. */
  #buffer: Buffer | undefined;
  /** What the socket reads into next, when that changes. */
  #nextBuffer: Buffer | undefined;
  /** Bytes that came while the call was paused. */
  #held: Buffer | undefined;
  #ended = false;
  #reading = false;
  #waitsForContinue = false;
  /** Both messages are whole, but the last of the request is not written. */
  #flushes = false;

  /** `open` gives it its socket: a new one, or one that is open already, which `socketOpened` is told then. */
  constructor(destination: EngineDestination, initiator: EngineCall | undefined, open: typeof openSocket = openSocket) {
    this.#destination = destination;
    this.initiator = initiator;
    this.#reader = new ResponseReader(destination.options.maxResponseHeadersSize);
    const { wheel } = destination;
    this.tlsGeneration = destination.tls?.generation ?? 0;
    this.#opening = open(
      {
        ...destination.means,
        origin: destination.origin,
        alpnProtocols,
        session: destination.session,
        onread: {
          buffer: () => this.#takeNextBuffer() as Buffer,
          callback: (count, buffer) => this.#onRead(count, buffer as Buffer),
        },
      },
      this,
    );
    wheel.add(this);
    this.deadline = wheel.after(destination.options.connectTimeout);
  }

  // What the opening of the socket tells

  socketOpened(socket: Socket): void {
    this.#socket = socket;
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error: Error) => this.#lost(error));
    this.#onOpen();
  }

  socketFailed(error: Error): void {
    this.#lost(error);
  }

  socketClosed(): void {
    this.#onClose();
  }

  socketSession(session: Buffer): void {
    if (this.tlsGeneration === this.#destination.tls?.generation) this.#destination.session = session;
  }

  /** Sends the request of `call`. The connection must be idle. */
  start(call: EngineCall): void {
    if (this.resting) {
      this.resting = false;
      this.#socket.ref();
    }
    this.#call = call;
    call.connection = this;
    this.#served++;
    const { body, head } = call;
    if (body === undefined) {
      this.#socket.write(head, "latin1");
      call.tellProgress();
    } else if (call.request.expectContinue === true) {
      this.#waitsForContinue = true;
      this.#destination.wheel.add(this);
      this.deadline = this.#destination.wheel.after(continueTimeout);
      this.#socket.write(head, "latin1");
      call.tellProgress();
    } else {
      body.start(this.#socket, head);
    }
  }

  /** It is idle and may stay so: a process with nothing else to do may end. */
  rest(): void {
    this.resting = true;
    this.#socket.unref();
  }

  /** The call may be told more again. */
  continueReading(): void {
    if (this.#reading || this.#state !== "open") return;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      this.#consume(held, held.length, false);
      if (this.#state !== "open" || this.#held !== undefined || this.#call?.paused === true) return;
    }
    if (this.#ended) this.#onEnd();
    else this.#socket.resume();
  }

  /** An interim response came; 100 lets the body go. */
  interim(status: number): void {
    if (status === 100 && this.#waitsForContinue) this.#sendBody();
  }

  /** The head of the final response came. */
  finalHead(status: number): void {
    const body = this.#call?.body;
    if (body === undefined || body.complete) return;
    // RFC 9112, 9.3 and 9.5: without the whole request there is no next one, and a destination that answered
    // with an error and closes does not want the rest.
    const refused = this.#waitsForContinue || (status >= 400 && !this.#reader.keepAlive);
    this.#stopWaiting();
    if (refused) body.drop();
  }

  /** Cuts the connection; whoever it served was told or does not care. */
  destroy(): void {
    if (this.#state === "closed") return;
    const opened = this.#state !== "connecting";
    this.#state = "closed";
    this.#detach();
    this.#destination.wheel.remove(this);
    if (opened) this.#socket.destroy();
    else this.#opening.destroy();
    this.#destination.connectionLost(this);
  }

  /** Cuts the connection and tells the call, or the tunnel, that was on it. */
  cut(cause: Error): void {
    const call = this.#call ?? this.initiator;
    const sent = this.#call !== undefined;
    const error = this.#error("the client was shut down", sent ? this.#step() : "connect", sent, cause, "gateway");
    this.#tunnel?.lost(cause);
    this.destroy();
    call?.fail(error);
  }

  onDeadline(): void {
    if (this.#state === "connecting") {
      this.#connectFailed(
        new DestinationError(`${this.#destination.name}: no connection within ${this.#destination.options.connectTimeout} ms`, {
          step: "connect",
          timedOut: true,
          requestSent: false,
        }),
      );
    } else if (this.#flushes) {
      this.destroy();
    } else if (this.#waitsForContinue) {
      this.#sendBody();
    } else {
      this.#destination.wheel.remove(this);
    }
  }

  #onOpen(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.deadline = Infinity;
    const { wheel } = this.#destination;
    wheel.remove(this);
    this.opened = true;
    this.openedAt = wheel.time;
    this.#destination.connectionOpened(this);
  }

  #onRead(count: number, buffer: Buffer): boolean {
    if (this.#tunnel !== undefined) return this.#tunnel.receive(buffer, count);
    const call = this.#call;
    if (call === undefined) {
      // Nothing was asked: what comes now would be taken for the answer to the next request.
      this.destroy();
      return false;
    }
    const own = buffer === this.#buffer;
    if (this.#held !== undefined) {
      this.#held = Buffer.concat([this.#held, buffer.subarray(0, count)]);
      return false;
    }
    this.#consume(buffer, count, !own);
    if (own && this.#reader.kept) this.#buffer = undefined;
    if (this.#state === "tunnel") return this.#tunnelFlows();
    if (this.#state === "open") this.#chooseBuffer(own);
    const next = this.#call;
    return next === undefined ? this.#state === "open" : !next.paused || this.#reader.phase === "head";
  }

  #tunnelFlows(): boolean {
    return this.#tunnel !== undefined && this.#tunnel.flowing;
  }

  /** A connection in the middle of a body reads into a buffer of its own, others into the shared one. */
  #chooseBuffer(own: boolean): void {
    if (this.#call !== undefined && this.#reader.phase !== "head") {
      if (this.#buffer === undefined) {
        this.#buffer = readBuffers.take();
        this.#nextBuffer = this.#buffer;
      }
      return;
    }
    if (this.#buffer !== undefined) readBuffers.give(this.#buffer);
    if (this.#buffer !== undefined || own) this.#nextBuffer = readBuffers.shared;
    this.#buffer = undefined;
  }

  /** Told to the socket after each read; undefined: the same one again. */
  #takeNextBuffer(): Buffer | undefined {
    if (this.#state === "connecting") return readBuffers.shared;
    const next = this.#nextBuffer;
    this.#nextBuffer = undefined;
    return next;
  }

  #consume(bytes: Buffer, count: number, copies: boolean): void {
    const call = this.#call as EngineCall;
    const reader = this.#reader;
    this.#reading = true;
    const outcome = reader.read(call, bytes, 0, count, copies);
    this.#reading = false;
    switch (outcome) {
      case "more":
      case "stopped":
        return;
      case "done":
        this.#responseDone(call, reader.position < count);
        return;
      case "paused":
        this.#held = Buffer.from(bytes.subarray(reader.position, count));
        return;
      case "tunnel":
        this.#becomeTunnel(call, reader.position < count ? Buffer.from(bytes.subarray(reader.position, count)) : undefined);
        return;
      default: {
        const error = this.#error(reader.fault, reader.phase === "head" ? "response-head" : "response-body", true);
        this.destroy();
        call.fail(error);
      }
    }
  }

  #responseDone(call: EngineCall, surplus: boolean): void {
    const { trailers, keepAlive, keepAliveTimeout, head, whole } = this.#reader;
    // Now and not with the next request: an idle connection would hold the text of a response for as long as it waits.
    this.#reader.reset();
    this.announced = keepAliveTimeout;
    const requestDone = call.body === undefined || call.body.complete;
    const reusable = keepAlive && requestDone && !surplus && !this.#ended && call.request.singleUse !== true;
    this.#detach();
    if (!reusable) this.destroy();
    else if (this.#socket.writableLength === 0) this.#destination.connectionFree(this);
    else this.#freeOnceWritten();
    if (whole === undefined) call.tellEnd(trailers);
    else call.tellWhole(head as ResponseHead, whole);
  }

  /**
   * The whole answer came before the last of the request was written. A destination that then does not take it is left after
   * a while.
   */
  #freeOnceWritten(): void {
    const { wheel } = this.#destination;
    this.#flushes = true;
    wheel.add(this);
    this.deadline = wheel.after(flushTimeout);
    this.#socket.write(nothing, (error) => {
      if (this.#state !== "open") return;
      this.#flushes = false;
      this.deadline = Infinity;
      wheel.remove(this);
      if (error == null && !this.#ended) this.#destination.connectionFree(this);
      else this.destroy();
    });
  }

  #becomeTunnel(call: EngineCall, early: Buffer | undefined): void {
    const head = this.#reader.head;
    this.#detach();
    if (head === undefined) return;
    this.#state = "tunnel";
    const tunnel = new ClientTunnel(this.#socket, early);
    this.#tunnel = tunnel;
    call.tellUpgrade(head, tunnel);
  }

  #sendBody(): void {
    this.#stopWaiting();
    this.#call?.body?.start(this.#socket, "");
  }

  #stopWaiting(): void {
    if (!this.#waitsForContinue) return;
    this.#waitsForContinue = false;
    this.deadline = Infinity;
    this.#destination.wheel.remove(this);
  }

  #detach(): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#stopWaiting();
    call.connection = undefined;
    this.#call = undefined;
    this.#held = undefined;
  }

  #onDrain(): void {
    if (this.#tunnel !== undefined) {
      this.#tunnel.drained();
      return;
    }
    const call = this.#call;
    if (call === undefined) return;
    call.tellProgress();
    if (!call.done) call.body?.drained();
  }

  #onEnd(): void {
    this.#ended = true;
    if (this.#tunnel !== undefined) {
      this.#tunnel.receiveEnd();
      return;
    }
    if (this.#held !== undefined) return;
    const call = this.#call;
    if (call !== undefined && this.#reader.phase === "until-close") this.#endByClose(call);
    else this.#lost(undefined);
  }

  /**
   * The end of the connection is the end of the response, unless it was a reset, which libuv before 1.52 tells as an end
   * when the last bytes came with it: then writing fails, also of nothing.
   */
  #endByClose(call: EngineCall): void {
    if (this.#destination.tls !== undefined) {
      this.#responseDone(call, false);
      return;
    }
    this.#socket.write(nothing, (error) => {
      if (this.#call !== call || this.#state !== "open") return;
      if (error == null) this.#responseDone(call, false);
      else this.#lost(error);
    });
  }

  #onClose(): void {
    if (this.#state !== "closed") {
      if (this.#tunnel === undefined) this.#lost(undefined);
      else {
        this.#tunnel.lost(new Error(`${this.#destination.name}: the connection is closed`));
        this.destroy();
      }
    }
    this.#destination.connectionClosed(this);
  }

  /** The peer, or the network, ended the connection. */
  #lost(cause: Error | undefined): void {
    if (this.#state === "closed") return;
    if (this.#state === "connecting") {
      const fault = cause === undefined ? undefined : destinationFault(cause);
      this.#connectFailed(this.#error(fault ?? "no connection", "connect", false, cause));
      return;
    }
    if (this.#tunnel !== undefined) {
      this.#tunnel.lost(cause ?? new Error(`${this.#destination.name}: the connection is closed`));
      this.destroy();
      return;
    }
    const call = this.#call;
    if (call === undefined) {
      this.destroy();
      return;
    }
    const resend = this.#served > 1 && !this.#reader.begun && call.canResend;
    const error = this.#errorOfLoss(call, cause);
    this.#detach();
    if (resend) this.#destination.resend(call);
    this.destroy();
    if (!resend) call.fail(error);
  }

  #errorOfLoss(call: EngineCall, cause: Error | undefined): DestinationError {
    if (cause === undefined) return this.#error("the destination closed the connection", this.#step(), true);
    const fault = destinationFault(cause) ?? "the connection broke";
    // The handshake failed after all: the request was not looked at.
    const untouched = this.#served === 1 && !this.#reader.begun && call.body?.started !== true && refusesClientCertificate(cause);
    return untouched ? this.#error(fault, "connect", false, cause) : this.#error(fault, this.#step(), true, cause);
  }

  #connectFailed(error: DestinationError): void {
    const { initiator } = this;
    this.initiator = undefined;
    if (initiator !== undefined) {
      initiator.attempt = undefined;
      this.#destination.leaveQueue(initiator);
    }
    this.destroy();
    initiator?.fail(error);
  }

  #step(): DestinationErrorStep {
    if (this.#reader.phase !== "head") return "response-body";
    const body = this.#call?.body;
    return body !== undefined && body.started && !body.complete ? "request-body" : "request";
  }

  #error(
    fault: string,
    step: DestinationErrorStep,
    requestSent: boolean,
    cause?: Error,
    source: "destination" | "gateway" = "destination",
  ): DestinationError {
    return new DestinationError(`${this.#destination.name}: ${fault}`, {
      step,
      source,
      requestSent,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
