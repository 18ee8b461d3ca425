import type { Socket } from "node:net";
import { Completion } from "../../completion.ts";
import { BadRequestError, ClientGoneError, ExchangeStateError } from "../../errors.ts";
import type { ConnectionInfo, HeldConnection, ResponseHead, Tunnel } from "../../exchange.ts";
import { HeaderList } from "../../header-list.ts";
import { type ResettableSocket, resetSocket } from "../../reset-socket.ts";
import { ChunkedDecoder } from "../chunked-decoder.ts";
import type { Timed } from "../timer-wheel.ts";
import { EngineConnectionInfo } from "./connection-info.ts";
import { dateLine } from "./date-line.ts";
import { EngineExchange, type ExchangeOwner } from "./engine-exchange.ts";
import { EngineResponse, type ResponseOwner } from "./engine-response.ts";
import { canLeave, EngineHeldConnection, type HoldOwner, restartHandle, stopHandle } from "./held-connection.ts";
import { EngineTunnel, type TunnelOwner } from "./engine-tunnel.ts";
import { InputBuffer } from "./input-buffer.ts";
import { PartialHead, partialIncomplete, partialMalformed } from "./partial-head.ts";
import { type BodyOwner, RequestBody } from "./request-body.ts";
import { bodyAbsent, bodyChunked, requestIncomplete } from "./request-parser.ts";
import { ResponseFieldWriter } from "./response-fields.ts";
import type { ServerContext } from "./server-context.ts";
import { statusLine } from "./status-line.ts";

/** Most bytes of a body that nobody wanted which are read to keep the connection. */
const maximumDrained = 65_536;
/** How long, and for how many bytes, a connection is read after its last answer, so that no reset destroys that. */
const lingerTime = 5000;
const maximumLingered = 8_388_608;
/** Requests and pieces of bodies used in one go; then others have their turn. */
const maximumSteps = 256;
/** Bytes held for a reader that has paused: while the system is asked for more it tells of a lost connection. */
const maximumHeld = 65_536;

/** Between requests, or in a head. */
const phaseHead = 0;
/** In a body. */
const phaseBody = 1;
/** The request is complete, the response is not. */
const phaseAnswer = 2;
const phaseTunnel = 3;
/** The last answer was sent: what comes is dropped until the client closes. */
const phaseLinger = 4;
const phaseClosed = 5;
/** Another process has the connection: it is neither read nor written here, and no time runs. */
const phaseAway = 6;

/** What a connection uses of its socket. */
export type ConnectionSocket = ResettableSocket & Pick<
  Socket,
  "write" | "end" | "cork" | "uncork" | "pause" | "resume" | "writableLength" | "writableNeedDrain" | "bytesWritten"
>;

/**
 * "taken": another process goes on with the connection; here it stands still until it is told to go on, or its socket is destroyed.
 * "stays": served on here. "close": ended as after a last answer.
 */
export type GiveBackOutcome = "taken" | "stays" | "close";

/** Whom a connection that another process lent belongs to. */
export interface ConnectionLender {
  /** Takes it back between two requests, with the bytes read and not used; `canReturn`: it may be lent again without opening it anew. */
  giveBack(socket: Socket, rest: Buffer, canReturn: boolean): GiveBackOutcome;
  /** It speaks another protocol from now on, and will not be given back. */
  keeps(): void;
}

/** A connection that was adopted. */
export interface AdoptedConnection {
  /** After `giveBack` was "taken": its next request begins with `bytes`. */
  resumeWith(bytes: Buffer): void;
}

const nothing = new Uint8Array(0);
const noBytes = Buffer.alloc(0);
const fields = new ResponseFieldWriter();

/**
 * One connection of a client: the only owner of its socket, from accept to close. Takes requests from it one
 * after the other and gives each to the handler as an exchange; the next one is not looked at before the
 * response to the last has been handed to the system as a whole.
 *
 * Long because it is one state machine: reading, answering, timeouts and ending all turn on the same phase, and
 * apart they would share every field.
 */
export class Connection implements Timed, BodyOwner, ResponseOwner, TunnelOwner, ExchangeOwner, HoldOwner, AdoptedConnection {
  readonly info: ConnectionInfo;
  deadline = Infinity;
  wheelIndex = -1;

  readonly #context: ServerContext;
  readonly #socket: ConnectionSocket;
  readonly #input = new InputBuffer();
  #phase = phaseHead;
  #partial: PartialHead | undefined = undefined;
  #exchange: EngineExchange | undefined = undefined;
  #response: EngineResponse | undefined = undefined;
  #body: RequestBody | undefined = undefined;
  #tunnel: EngineTunnel | undefined = undefined;

  #keepAlive = true;
  #awaitsContinue = false;
  #responseDone = false;
  /** The client has half-closed. */
  #peerEnded = false;
  /** What comes in means nothing any more, but the response is not over. */
  #deaf = false;
  #pumping = false;
  /** There is more to use, after others had their turn. */
  #yielding = false;
  /** The handler is being called: what came of the body with the head can be delivered before it returns. */
  #handing = false;
  #reading = true;
  /**
   * Over TLS no write is complete when it returns: each has a callback. An empty one that comes after the last, as elsewhere, would be
   * a write of its own to the system.
   */
  readonly #writesLate: boolean;
  #awaitsFlush = false;
  /** Given to nobody yet, and not read: see `hold`. */
  #held = false;
  #requests = 0;
  #lingered = 0;
  #lastError: Error | undefined = undefined;

  #readDeadline = Infinity;
  #writeDeadline = Infinity;
  /** Bytes written to the socket when the write deadline was set: by then the system must have taken them all. */
  #writeMark = 0;
  /** For the data rate of the body in hand. */
  #bodySince = 0;
  #pausedSince = -1;

  /** Where the connection goes after each exchange, when it belongs to another process. */
  readonly #lender: ConnectionLender | undefined;

  constructor(context: ServerContext, socket: ConnectionSocket, info: ConnectionInfo, lender?: ConnectionLender) {
    this.#lender = lender;
    this.#context = context;
    this.#socket = socket;
    this.info = info;
    this.#writesLate = info.tls !== undefined;
    this.#setReadDeadline(context.limits.requestHeadersTimeout);
    context.wheel.add(this);
  }

  /** Waiting for a request: may be closed without loss. */
  get idle(): boolean {
    return this.#phase === phaseHead && this.#input.length === 0;
  }

  get upgraded(): boolean {
    return this.#tunnel !== undefined;
  }

  // -- What the socket tells

  data(chunk: Buffer): void {
    if (this.#phase === phaseLinger || this.#deaf) {
      this.#lingered += chunk.length;
      if (this.#lingered <= maximumLingered) return;
      if (this.#phase === phaseLinger) this.destroy();
      else this.#stopReading();
      return;
    }
    if (this.#phase === phaseClosed) return;
    this.#input.append(chunk);
    this.#pump();
  }

  /** As `data`, for the first `count` bytes of memory that is used again when this returns. */
  lent(memory: Buffer, count: number): void {
    if (this.#phase >= phaseLinger || this.#deaf) {
      this.data(memory.subarray(0, count));
      return;
    }
    this.#input.borrow(memory, count);
    this.#pump();
    this.#input.settle();
  }

  ended(): void {
    this.#peerEnded = true;
    if (this.#yielding) return;
    if (this.#phase === phaseHead) this.#closeIdle();
    else if (this.#phase === phaseTunnel) this.#tunnel?.peerEnded();
    else {
      this.#pump();
      this.#armHalfClosed();
    }
  }

  drained(): void {
    this.#writeDeadline = Infinity;
    this.deadline = this.#readDeadline;
    if (this.#tunnel !== undefined) this.#tunnel.drained();
    else this.#response?.drained();
  }

  failed(error: Error): void {
    this.#lastError = error;
    this.#context.onFault(error, this.info.id);
  }

  closed(): void {
    const tunnelled = this.#phase === phaseTunnel;
    this.#phase = phaseClosed;
    this.#context.wheel.remove(this);
    const exchange = this.#exchange;
    if (exchange !== undefined) {
      const clean = this.#tunnel !== undefined && this.#peerEnded && this.#lastError === undefined;
      const cause = new ClientGoneError(
        "the client left before the exchange was over",
        this.#lastError === undefined ? undefined : { cause: this.#lastError },
      );
      this.#exchange = undefined;
      if (!clean) this.#input.clear();
      this.#guard(() => {
        this.#body?.fail(cause);
        if (!clean) this.#tunnel?.closed(cause);
        this.#response?.close();
        if (!tunnelled) exchange.clientGone(cause);
        exchange.complete();
      });
    }
    this.#context.connectionClosed(this);
  }

  // -- What the server tells

  /** Closes after what is under way, or now when that is nothing. Who uses the tunnel is told. */
  shutDown(): void {
    const tunnel = this.#tunnel;
    if (tunnel !== undefined) this.#guard(() => tunnel.shutDown());
    else if (this.idle) this.#linger();
    // Whoever has it ends it.
    else if (this.#phase === phaseAway) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onDeadline(time: number): void {
    if (this.#writeDeadline <= time) {
      const socket = this.#socket;
      const unsent = socket.writableLength;
      this.#writeDeadline = Infinity;
      this.deadline = this.#readDeadline;
      if (unsent > 0) {
        if (socket.bytesWritten - unsent < this.#writeMark) {
          this.failed(new Error("the client reads too slowly"));
          resetSocket(socket);
          return;
        }
        // What is unsent now was written later. No "drain" told, since the buffer was never full.
        this.#watchReader(unsent);
      }
    }
    if (this.#readDeadline > time) return;
    this.#readDeadline = Infinity;
    this.deadline = this.#writeDeadline;
    if (this.#phase === phaseHead) {
      if (this.#input.length === 0) this.#linger();
      else this.#refuse(new BadRequestError(408, "HEAD_TIMEOUT", "the request head did not come in time"));
    } else if (this.#phase === phaseLinger) {
      this.destroy();
    } else if (this.#phase === phaseBody) {
      this.#checkBodyRate(time);
    } else if (this.#phase === phaseAnswer && this.#peerEnded) {
      // What is still unsent shows whether somebody reads: the minimum rate judges that.
      if (this.#socket.writableLength > 0) this.#armHalfClosed();
      else this.destroy();
    }
  }

  // -- What a body and a tunnel ask

  bodyWanted(): void {
    if (this.#pausedSince >= 0) {
      this.#bodySince += this.#context.wheel.time - this.#pausedSince;
      this.#pausedSince = -1;
      this.#armBodyRate();
    }
    if (this.#handing) this.#deliverEarly();
    else this.#pump();
  }

  bodyPaused(): void {
    this.#pausedSince = this.#context.wheel.time;
    if (this.#phase === phaseBody) this.#clearReadDeadline();
  }

  bodyStarted(): void {
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      if (this.#response?.started === false) this.writeText("HTTP/1.1 100 Continue\r\n\r\n");
    }
    this.#bodySince = this.#context.wheel.time;
    this.#armBodyRate();
  }

  tunnelEnded(): void {
    this.#socket.end();
  }

  tunnelAborted(cause: Error): void {
    const exchange = this.#exchange;
    this.#giveUp(true);
    this.#guard(() => {
      this.#tunnel?.closed(cause);
      exchange?.complete();
    });
  }

  // -- Giving the connection to another process

  hold(exchange: EngineExchange): HeldConnection | undefined {
    const socket = this.#socket;
    const body = this.#body;
    const response = exchange.response;
    if (exchange !== this.#exchange || this.#held || (this.#phase !== phaseBody && this.#phase !== phaseAnswer)) return undefined;
    if (response.started || response.ended || body?.started === true || this.#deaf) return undefined;
    if (!(this.info instanceof EngineConnectionInfo) || !canLeave(socket)) return undefined;
    // Asked for now: once the socket is closed the system does not tell it any more.
    void this.info.remoteAddress;
    const { request } = exchange;
    const head = Buffer.from(`${request.method} ${request.target} HTTP/${request.httpVersion}\r\n${request.headers.toWire()}\r\n`, "latin1");
    // As long as it is held nothing is used of what came: as when others have their turn.
    this.#held = true;
    this.#yielding = true;
    this.#stopReading();
    const late = stopHandle(socket);
    if (late !== null) this.#input.append(late);
    const { bytes, start, end } = this.#input;
    const bodyLength = body === undefined ? 0 : (body.length ?? -1);
    this.#readDeadline = this.#writeDeadline = this.deadline = Infinity;
    return new EngineHeldConnection(this, socket, head, Buffer.from(bytes.subarray(start, end)), bodyLength);
  }

  holdReleased(): void {
    const exchange = this.#exchange;
    this.#giveUp(false);
    this.#gaveAway(exchange);
  }

  holdLent(): void {
    const exchange = this.#exchange;
    if (this.#phase === phaseClosed) return;
    this.#phase = phaseAway;
    this.#exchange = undefined;
    this.#gaveAway(exchange);
  }

  #gaveAway(exchange: EngineExchange | undefined): void {
    const response = this.#response;
    const body = this.#body;
    this.#held = false;
    this.#response = undefined;
    this.#body = undefined;
    this.#input.clear();
    this.#guard(() => {
      response?.close();
      body?.fail(new ExchangeStateError("the request was given to another process"));
      exchange?.complete();
    });
  }

  holdCancelled(connection: "stays" | "closes"): void {
    this.#held = false;
    if (this.#phase === phaseClosed) return;
    restartHandle(this.#socket as Socket);
    if (connection === "closes") this.#keepAlive = false;
    this.#goOn();
  }

  letGo(how: "closed" | "reset"): void {
    if (this.#phase === phaseAway) this.#giveUp(how === "reset");
  }

  resumeWith(bytes: Buffer): void {
    if (this.#phase !== phaseAway) return;
    restartHandle(this.#socket as Socket);
    this.#reading = true;
    this.#socket.resume();
    this.#yielding = false;
    this.continueWith(bytes);
  }

  /** Another process stopped between two requests; `bytes` is what that one read and did not use. */
  continueWith(bytes: Buffer): void {
    this.#phase = phaseHead;
    this.#keepAlive = true;
    if (bytes.length > 0) this.data(bytes);
    else if (this.#peerEnded || this.#context.closing) this.#linger();
    else this.#setReadDeadline(this.#context.limits.keepAliveTimeout);
  }

  // -- What a response asks

  get unsent(): number {
    return this.#socket.writableLength;
  }

  writeText(text: string): boolean {
    if (this.#phase >= phaseLinger) return true;
    if (this.#writesLate) this.#socket.write(text, "latin1", this.#onWritten);
    else this.#socket.write(text, "latin1");
    return this.#afterWrite();
  }

  writeBytes(bytes: Uint8Array): boolean {
    if (this.#phase >= phaseLinger) return true;
    if (this.#writesLate) this.#socket.write(bytes, this.#onWritten);
    else this.#socket.write(bytes);
    return this.#afterWrite();
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): boolean {
    this.#socket.uncork();
    return this.#afterWrite();
  }

  continueSent(): void {
    this.#awaitsContinue = false;
  }

  decidePersistence(whole: boolean, possible: boolean): boolean {
    const body = this.#body;
    let keep = possible && this.#keepAlive && !this.#context.closing && !this.#deaf;
    if (body !== undefined && !body.finished) {
      if (whole && !body.started && !this.#awaitsContinue) {
        body.cancel();
        // Inside a pump the call above could not look at what is there already.
        if (this.#pumping && !body.finished && body.consume(this.#input) !== undefined) keep = false;
        if (this.#deaf) keep = false;
      }
      if (body.failed || this.#awaitsContinue) keep = false;
      else if (!body.wanted && !body.finished) keep &&= (body.remaining ?? Infinity) <= maximumDrained;
    }
    const { maxRequestsPerConnection } = this.#context.limits;
    if (maxRequestsPerConnection !== undefined && this.#requests >= maxRequestsPerConnection) keep = false;
    this.#keepAlive = keep;
    return keep;
  }

  responseEnded(): void {
    if (this.#phase === phaseClosed) return;
    if (this.#socket.writableLength === 0) this.#responseFlushed();
    else if (this.#writesLate) this.#awaitsFlush = true;
    else {
      this.#socket.write(nothing, (error) => {
        if (error == null) this.#responseFlushed();
      });
    }
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (!this.#awaitsFlush || error != null || this.#socket.writableLength > 0) return;
    this.#awaitsFlush = false;
    this.#responseFlushed();
  };

  responseAborted(cause: Error, hard: boolean): void {
    const exchange = this.#exchange;
    const body = this.#body;
    this.#giveUp(hard);
    this.#guard(() => {
      body?.fail(cause);
      exchange?.complete();
    });
  }

  upgrade(head: ResponseHead): Tunnel {
    const context = this.#context;
    const response = this.#response as EngineResponse;
    if (head.status !== 101) throw new ExchangeStateError(`${head.status} is no answer to an upgrade`);
    if (this.#body !== undefined && !this.#body.finished) throw new ExchangeStateError("the request has a body");
    const text = `${statusLine(101, head.reason)}${fields.write(head.headers, false)}`;
    const { maxConcurrentUpgradedConnections } = context.limits;
    if (maxConcurrentUpgradedConnections !== undefined && context.budget.upgraded >= maxConcurrentUpgradedConnections) {
      // Others were accepted since the request came.
      throw tooManyUpgraded();
    }
    const tail = `${fields.hasDate ? "" : dateLine()}Connection: Upgrade\r\n\r\n`;
    response.give(101);
    const tunnel = new EngineTunnel(this);
    if (this.#phase === phaseClosed) {
      tunnel.closed(new ClientGoneError("the client left before the exchange was over"));
      return tunnel;
    }
    this.writeText(text + tail);
    this.#phase = phaseTunnel;
    this.#tunnel = tunnel;
    this.#readDeadline = this.#writeDeadline = this.deadline = Infinity;
    context.budget.freeOpen();
    context.budget.takeUpgraded();
    this.#lender?.keeps();
    if (context.closing) tunnel.shutDown();
    if (this.#peerEnded) tunnel.peerEnded();
    return tunnel;
  }

  // -- Reading

  /** Uses what came in, as far as the state of the connection allows. */
  #pump(): void {
    if (this.#pumping || this.#yielding) return;
    this.#pumping = true;
    try {
      let steps = 0;
      while (this.#step()) {
        if (++steps < maximumSteps) continue;
        this.#yielding = true;
        setImmediate(() => this.#goOn());
        break;
      }
    } catch (error) {
      this.#broken(error);
    }
    this.#pumping = false;
    this.#throttle();
  }

  #goOn(): void {
    if (this.#held) return;
    this.#yielding = false;
    this.#pump();
    if (this.#peerEnded && !this.#yielding) this.ended();
  }

  /** One step of `#pump`; false when there is nothing more to do for now. */
  #step(): boolean {
    switch (this.#phase) {
      case phaseHead:
        return this.#input.length > 0 && this.#readRequest();
      case phaseBody:
        return this.#readBody(this.#body as RequestBody);
      case phaseTunnel:
      case phaseClosed:
        if (this.#tunnel?.ready === true) this.#tunnel.consume(this.#input);
        return false;
      default:
        return false;
    }
  }

  /** Takes one request from the input and hands it to the handler. */
  #readRequest(): boolean {
    const { parser, limits } = this.#context;
    const input = this.#input;
    if (this.#partial !== undefined) {
      const seen = this.#partial.look(input.bytes, input.start, input.end);
      if (seen === partialIncomplete) {
        if (parser.checkSize(input.bytes, input.start, input.end) !== requestIncomplete) this.#refuse(parser.refusal);
        return false;
      }
      if (seen === partialMalformed) return this.#refuseMalformed();
    }
    const end = parser.parse(input.bytes, input.start, input.end);
    if (end === requestIncomplete) {
      this.#partial = new PartialHead();
      if (this.#requests > 0) this.#setReadDeadline(limits.requestHeadersTimeout);
      if (this.#partial.look(input.bytes, input.start, input.end) === partialMalformed) return this.#refuseMalformed();
      if (this.#peerEnded) this.#closeIdle();
      return false;
    }
    if (end < 0) {
      this.#refuse(parser.refusal);
      return false;
    }
    this.#partial = undefined;
    const { maxConcurrentUpgradedConnections } = limits;
    if (parser.upgrade !== undefined && maxConcurrentUpgradedConnections !== undefined
      && this.#context.budget.upgraded >= maxConcurrentUpgradedConnections) {
      this.#refuse(tooManyUpgraded());
      return false;
    }
    input.use(end);
    this.#startExchange();
    return true;
  }

  #startExchange(): void {
    const { parser, limits, handler } = this.#context;
    const { request, bodyLength, upgrade } = parser;
    this.#clearReadDeadline();
    this.#requests++;
    this.#keepAlive = parser.keepAlive;
    this.#awaitsContinue = parser.expectContinue;
    this.#responseDone = false;
    let body: RequestBody | undefined;
    if (bodyLength !== bodyAbsent) {
      body = bodyLength === bodyChunked
        ? new RequestBody(this, undefined, new ChunkedDecoder({
          maxTrailersSize: limits.maxRequestHeadersTotalSize,
          maxTrailerCount: limits.maxRequestHeaderCount,
        }), limits.maxRequestBodySize)
        : new RequestBody(this, bodyLength, undefined, limits.maxRequestBodySize);
    }
    this.#body = body;
    this.#phase = body === undefined || body.finished ? phaseAnswer : phaseBody;
    if (this.#peerEnded) this.#armHalfClosed();
    const response = new EngineResponse(this, request.method === "HEAD", request.httpVersion === "1.0");
    const exchange = new EngineExchange(this, request, body, response, upgrade);
    this.#response = response;
    this.#exchange = exchange;
    this.#handing = true;
    try {
      const result = handler(exchange);
      if (result !== undefined && !(result instanceof Completion)) result.then(undefined, (error: unknown) => this.#handlerFailed(exchange, error));
    } catch (error) {
      this.#handlerFailed(exchange, error);
    }
    this.#handing = false;
  }

  /**
   * Inside the handler: a small body that came with its head leaves with it too, in one write. What follows the
   * body is for the pump, which is under way.
   */
  #deliverEarly(): void {
    this.#handing = false;
    const body = this.#body;
    if (this.#phase !== phaseBody || body === undefined || !body.ready || this.#input.length === 0) return;
    this.#guard(() => this.#readBody(body));
  }

  #readBody(body: RequestBody): boolean {
    if (body.finished) {
      this.#phase = phaseAnswer;
      this.#clearReadDeadline();
      if (this.#responseDone) this.#next();
      else if (this.#peerEnded) this.#armHalfClosed();
      return true;
    }
    if (!body.ready) return false;
    if (this.#input.length > 0) {
      const fault = body.consume(this.#input);
      if (fault !== undefined) this.#bodyBroken(fault);
      else if (body.dropped > maximumDrained) this.#bodyBroken(undefined);
      return true;
    }
    if (!this.#peerEnded) return false;
    this.#bodyBroken(new ClientGoneError("the client left before the end of its body"));
    return true;
  }

  /** What comes from now on cannot be understood, or is too much: it is dropped. */
  #bodyBroken(fault: Error | undefined): void {
    if (this.#phase !== phaseBody) return;
    this.#phase = phaseAnswer;
    this.#keepAlive = false;
    this.#deaf = true;
    this.#input.clear();
    this.#clearReadDeadline();
    if (this.#peerEnded) this.#armHalfClosed();
    if (fault !== undefined) {
      this.#context.onFault(fault, this.info.id);
      this.#body?.fail(fault);
    }
    if (this.#responseDone) this.#linger();
  }

  /** Stops or starts reading from the socket, by what is held. */
  #throttle(): void {
    const held = this.#input.length;
    let read = true;
    if (this.#yielding || this.#phase === phaseAway) {
      read = false;
    } else if (this.#phase === phaseBody) {
      const body = this.#body as RequestBody;
      const { maxRequestBufferSize } = this.#context.limits;
      read = body.ready || held <= (body.paused ? Math.min(maximumHeld, maxRequestBufferSize) : maxRequestBufferSize);
    } else if (this.#phase === phaseAnswer) {
      read = held <= this.#context.limits.maxRequestBufferSize && this.#lingered <= maximumLingered;
    } else if (this.#phase === phaseTunnel) {
      read = (this.#tunnel as EngineTunnel).ready || held <= maximumHeld;
    }
    if (read === this.#reading) return;
    if (read) {
      this.#reading = true;
      this.#socket.resume();
    } else {
      this.#stopReading();
    }
  }

  #stopReading(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#socket.pause();
  }

  // -- Ending

  #responseFlushed(): void {
    if (this.#phase === phaseClosed || this.#responseDone || this.#exchange === undefined) return;
    this.#responseDone = true;
    this.#writeDeadline = Infinity;
    this.#response?.flushed();
    this.#guard(() => this.#exchange?.complete());
    const body = this.#body;
    if (!this.#keepAlive) {
      if (body?.wanted !== true) {
        this.#linger();
        return;
      }
    } else if (body === undefined || body.finished) {
      this.#next();
      return;
    }
    if (body?.wanted === true) return;
    this.#setReadDeadline(lingerTime);
    body?.cancel();
    this.#pump();
  }

  /** The exchange is over and the connection goes on. */
  #next(): void {
    if (!this.#keepAlive || (this.#peerEnded && this.#input.length === 0)) {
      this.#linger();
      return;
    }
    this.#phase = phaseHead;
    this.#exchange = undefined;
    this.#response = undefined;
    this.#body = undefined;
    if (this.#lender !== undefined && this.#giveBack(this.#lender)) return;
    const { limits } = this.#context;
    this.#setReadDeadline(this.#input.length === 0 ? limits.keepAliveTimeout : limits.requestHeadersTimeout);
    if (this.#input.length > 0) this.#pump();
  }

  /** False when the connection stays here. */
  #giveBack(lender: ConnectionLender): boolean {
    const socket = this.#socket;
    if (!canLeave(socket)) return false;
    this.#stopReading();
    const late = stopHandle(socket);
    if (late !== null) this.#input.append(late);
    const { bytes, start, end } = this.#input;
    const rest = start === end ? noBytes : Buffer.from(bytes.subarray(start, end));
    const outcome = lender.giveBack(socket, rest, !this.#peerEnded);
    if (outcome === "taken") {
      this.#phase = phaseAway;
      this.#input.clear();
      this.deadline = this.#readDeadline = Infinity;
      return true;
    }
    restartHandle(socket);
    if (outcome === "close") {
      this.#linger();
      return true;
    }
    this.#reading = true;
    socket.resume();
    return false;
  }

  #closeIdle(): void {
    if (this.#input.length === 0) this.#linger();
    else this.#refuse(new BadRequestError(400, "INCOMPLETE_HEAD", "the client left before the end of the head"));
  }

  /** Sends a FIN after the last answer, and reads on for a while: closing now could destroy the answer. */
  #linger(): void {
    if (this.#phase >= phaseLinger) return;
    this.#phase = phaseLinger;
    this.#exchange = undefined;
    this.#input.clear();
    this.#setReadDeadline(lingerTime);
    this.#socket.end();
    this.#reading = true;
    this.#socket.resume();
  }

  #giveUp(hard: boolean): void {
    this.#exchange = undefined;
    this.#phase = phaseClosed;
    if (hard) resetSocket(this.#socket);
    else this.#socket.destroy();
  }

  #refuseMalformed(): false {
    this.#refuse(new BadRequestError(400, "INVALID_HEAD", "the head holds an illegal character"));
    return false;
  }

  /** Answers a request that no handler sees, and closes. */
  #refuse(error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
    this.writeText(`${statusLine(error.status, undefined)}${dateLine()}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    this.#linger();
  }

  #handlerFailed(exchange: EngineExchange, error: unknown): void {
    this.#context.onFault(asError(error), this.info.id);
    if (exchange !== this.#exchange || exchange.response.ended) return;
    if (exchange.response.started) {
      exchange.response.abort(asError(error));
      return;
    }
    const status = error instanceof BadRequestError ? error.status : 500;
    exchange.response.send({ status, headers: new HeaderList() });
  }

  /** A reader or a listener has thrown: nothing is known about what it did, so the connection ends. */
  #broken(error: unknown): void {
    this.#context.onFault(asError(error), this.info.id);
    this.#socket.destroy();
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#broken(error);
    }
  }

  // -- Time

  #setReadDeadline(timeout: number): void {
    this.#readDeadline = this.#context.wheel.after(timeout);
    this.deadline = Math.min(this.#readDeadline, this.#writeDeadline);
  }

  #clearReadDeadline(): void {
    this.#readDeadline = Infinity;
    this.deadline = this.#writeDeadline;
  }

  #armBodyRate(): void {
    const rate = this.#context.limits.minRequestBodyDataRate;
    if (rate !== undefined && this.#phase === phaseBody) this.#setReadDeadline(rate.gracePeriod);
  }

  /** A FIN may be a half-close or all that shows of a client that left: who sends it is not waited for long. */
  #armHalfClosed(): void {
    if (this.#phase === phaseAnswer) this.#setReadDeadline(this.#context.limits.halfClosedTimeout);
  }

  #checkBodyRate(time: number): void {
    const body = this.#body as RequestBody;
    const rate = this.#context.limits.minRequestBodyDataRate;
    if (this.#responseDone && !body.wanted) {
      this.#bodyBroken(undefined);
      return;
    }
    if (rate === undefined || body.paused) return;
    const elapsed = time - this.#bodySince;
    if (body.received * 1000 < rate.bytesPerSecond * elapsed) {
      this.#guard(() => this.#bodyBroken(new BadRequestError(408, "BODY_TOO_SLOW", "the body comes too slowly")));
      return;
    }
    this.#setReadDeadline(1000);
  }

  /** Watches the client's reading; true when more can be written. */
  #afterWrite(): boolean {
    if (this.#peerEnded) this.#armHalfClosed();
    const socket = this.#socket;
    const unsent = socket.writableLength;
    if (unsent === 0) {
      this.#writeDeadline = Infinity;
      return true;
    }
    if (this.#writeDeadline === Infinity && this.#tunnel === undefined) this.#watchReader(unsent);
    return !socket.writableNeedDrain;
  }

  /** Gives the client time to take the bytes that are `unsent` now. */
  #watchReader(unsent: number): void {
    const rate = this.#context.limits.minResponseDataRate;
    if (rate === undefined) return;
    this.#writeMark = this.#socket.bytesWritten;
    this.#writeDeadline = this.#context.wheel.after(rate.gracePeriod + (unsent / rate.bytesPerSecond) * 1000);
    this.deadline = Math.min(this.#readDeadline, this.#writeDeadline);
  }
}

function tooManyUpgraded(): BadRequestError {
  return new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("a value that is no error was thrown", { cause: error });
}
