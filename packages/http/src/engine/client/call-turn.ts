import type { Socket } from "node:net";
import { DestinationError, type DestinationErrorOptions } from "../../destination-client.ts";
import type { ResponseHead } from "../../exchange.ts";
import { destinationFault, refusesClientCertificate } from "../../tls/destination-fault.ts";
import { Countdown } from "./countdown.ts";
import type { EngineCall } from "./engine-call.ts";
import type { EngineDestination } from "./engine-destination.ts";
import { maximumCopied, ResponseReader } from "./response-reader.ts";

/** How long a body waits for 100 (Continue); the destination may not know about it (RFC 9110, 10.1.1). */
const continueTimeout = 1000;

const nothing = new Uint8Array(0);

/** The connection on which calls take their turns. */
export interface CallTurnOwner {
  /** It carries HTTP, and was not given up. */
  readonly open: boolean;
  /** Response and request are over. `reusable`: another call can follow. */
  turnOver(reusable: boolean): void;
  /** What comes from now on is for a tunnel, `early` before it. */
  becomeTunnel(call: EngineCall, head: ResponseHead, early: Buffer | undefined): void;
  destroy(): void;
  /** The peer, or the network, ended the connection before its time. */
  lost(cause: Error | undefined): void;
}

/**
 * The call that has its turn on a connection: its request goes out and its response comes in, both at once, until both are whole. One
 * object serves all calls of a connection, and knows what may be said of one whose connection broke.
 */
export class CallTurn {
  /** How long the peer keeps the connection idle, in milliseconds. */
  announced = Infinity;
  readonly #destination: EngineDestination;
  readonly #owner: CallTurnOwner;
  readonly #reader: ResponseReader;
  #socket!: Socket;
  #call: EngineCall | undefined = undefined;
  /** Calls begun. */
  #served = 0;
  /** Bytes that came while the call was paused. */
  #held: Buffer | undefined = undefined;
  #reading = false;
  #ended = false;
  /** Made for the first call that waits for 100 (Continue). */
  #continueWait: Countdown | undefined = undefined;
  #waitsForContinue = false;

  constructor(destination: EngineDestination, owner: CallTurnOwner) {
    this.#destination = destination;
    this.#owner = owner;
    this.#reader = new ResponseReader(destination.options.maxResponseHeadersSize);
  }

  /** The peer has half-closed. */
  get peerEnded(): boolean {
    return this.#ended;
  }

  get call(): EngineCall | undefined {
    return this.#call;
  }

  /** Whether a large piece of a body is to come next, after a read of `count` bytes. Events come one by one, each a small piece. */
  expectsLarge(count: number): boolean {
    return this.#call !== undefined && this.#reader.phase !== "head" && (count > maximumCopied || this.#reader.remaining > maximumCopied);
  }

  /** Whether more is wanted from the socket. A head is: what comes behind it waits. */
  get wantsMore(): boolean {
    return this.#call?.paused !== true || this.#reader.phase === "head";
  }

  /** After `read`: somebody keeps a part of what was read. */
  get kept(): boolean {
    return this.#reader.kept;
  }

  /** Sends the request of `call`. */
  begin(call: EngineCall, socket: Socket): void {
    this.#socket = socket;
    this.#call = call;
    this.#served++;
    const { body, head } = call;
    if (body === undefined) {
      socket.write(head, "latin1");
      call.tellProgress();
    } else if (call.request.expectContinue === true) {
      this.#waitsForContinue = true;
      this.#continueWait ??= new Countdown(this.#destination.wheel, () => this.#sendBody());
      this.#continueWait.start(continueTimeout);
      socket.write(head, "latin1");
      call.tellProgress();
    } else {
      body.start(socket, head);
    }
  }

  /** Uses `bytes[0..count)`, which with `copies` are overwritten afterwards. False: they wait, since the call is paused. */
  read(bytes: Buffer, count: number, copies: boolean): boolean {
    if (this.#held !== undefined) {
      this.#held = Buffer.concat([this.#held, bytes.subarray(0, count)]);
      return false;
    }
    this.#consume(bytes, count, copies);
    return true;
  }

  /** The call may be told more again: uses what waited. */
  goOn(): void {
    if (this.#reading || !this.#owner.open) return;
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      this.#consume(held, held.length, false);
      if (!this.#owner.open || this.#held !== undefined || this.#call?.paused === true) return;
    }
    if (this.#ended) this.ended();
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

  /** The socket has taken what it held. */
  drained(): void {
    const call = this.#call;
    if (call === undefined) return;
    call.tellProgress();
    if (!call.done) call.body?.drained();
  }

  /** The peer has half-closed. */
  ended(): void {
    this.#ended = true;
    if (this.#held !== undefined) return;
    const call = this.#call;
    if (call !== undefined && this.#reader.phase === "until-close") this.#endByClose(call);
    else this.#owner.lost(undefined);
  }

  /** The connection does not serve the call any more. */
  leave(): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#stopWaiting();
    call.connection = undefined;
    this.#call = undefined;
    this.#held = undefined;
  }

  /** Whether `call`, whose connection broke, may be sent again: the destination had closed it before. */
  canResend(call: EngineCall): boolean {
    return this.#served > 1 && !this.#reader.begun && call.canResend;
  }

  /** What the call is told when its connection broke. */
  errorOfLoss(cause: Error | undefined): DestinationError {
    if (cause === undefined) return this.#error("the destination closed the connection");
    const fault = destinationFault(cause) ?? "the connection broke";
    // The handshake failed after all: the request was not looked at.
    const untouched = this.#served === 1 && !this.#reader.begun && this.#call?.body?.started !== true && refusesClientCertificate(cause);
    return untouched ? this.#error(fault, { step: "connect", requestSent: false, cause }) : this.#error(fault, { cause });
  }

  /** What the call is told when the client cuts the connection. */
  errorOfCut(cause: Error): DestinationError {
    return this.#error("the client was shut down", { source: "gateway", cause });
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
      case "tunnel": {
        const head = reader.head as ResponseHead;
        const early = reader.position < count ? Buffer.from(bytes.subarray(reader.position, count)) : undefined;
        this.leave();
        this.#owner.becomeTunnel(call, head, early);
        return;
      }
      default: {
        const error = this.#error(reader.fault, { step: reader.phase === "head" ? "response-head" : "response-body" });
        this.#owner.destroy();
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
    this.leave();
    this.#owner.turnOver(reusable);
    if (whole === undefined) call.tellEnd(trailers);
    else call.tellWhole(head as ResponseHead, whole);
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
      if (this.#call !== call || !this.#owner.open) return;
      if (error == null) this.#responseDone(call, false);
      else this.#owner.lost(error);
    });
  }

  #sendBody(): void {
    this.#stopWaiting();
    this.#call?.body?.start(this.#socket, "");
  }

  #stopWaiting(): void {
    if (!this.#waitsForContinue) return;
    this.#waitsForContinue = false;
    this.#continueWait?.stop();
  }

  #error(fault: string, options?: Partial<DestinationErrorOptions>): DestinationError {
    const body = this.#call?.body;
    const sending = body !== undefined && body.started && !body.complete;
    const step = this.#reader.phase === "head" ? (sending ? "request-body" : "request") : "response-body";
    return new DestinationError(`${this.#destination.name}: ${fault}`, { step, requestSent: true, ...options });
  }
}
