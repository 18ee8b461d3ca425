import { Completion } from "../../completion.ts";
import { BadRequestError, ExchangeStateError } from "../../errors.ts";
import type { ConnectionInfo, HeldConnection, ResponseHead, Tunnel } from "../../exchange.ts";
import { HeaderList } from "../../header-list.ts";
import { BodyIntake, type BodyIntakeOwner } from "./body-intake.ts";
import type { ClientInput } from "./client-input.ts";
import type { ClientOutput } from "./client-output.ts";
import type { ConnectionDeadlines } from "./connection-deadlines.ts";
import { EngineExchange, type ExchangeOwner } from "./engine-exchange.ts";
import { EngineResponse, type ResponseOwner } from "./engine-response.ts";
import type { ServerContext } from "./server-context.ts";

/** The connection on which exchanges take their turns. */
export interface TurnOwner {
  readonly info: ConnectionInfo;
  /** The client has half-closed. */
  readonly peerEnded: boolean;
  /** Request and response are over. */
  turnOver(keepAlive: boolean): void;
  /** The last answer was sent, and what may still come is not wanted. */
  linger(): void;
  /** The last answer was sent, and the client has said that nothing comes any more. */
  close(): void;
  /** Closes the connection at once. `hard`: by a reset. */
  giveUp(hard: boolean): void;
  /** A handler or a listener has thrown: nothing is known about what it did. */
  broken(error: unknown): void;
  upgrade(exchange: EngineExchange, head: ResponseHead): Tunnel;
  hold(exchange: EngineExchange): HeldConnection | undefined;
}

/**
 * The exchange that has its turn on a connection, from the head of its request until its response was handed to the system as a
 * whole and its body was read or dropped: gives it to the handler, and decides whether another can follow. One object serves all
 * exchanges of a connection.
 */
export class ExchangeTurn implements BodyIntakeOwner, ResponseOwner, ExchangeOwner {
  readonly #context: ServerContext;
  readonly #deadlines: ConnectionDeadlines;
  readonly #input: ClientInput;
  readonly #output: ClientOutput;
  readonly #owner: TurnOwner;
  readonly #body: BodyIntake;
  #exchange: EngineExchange | undefined = undefined;
  #response: EngineResponse | undefined = undefined;
  #keepAlive = true;
  #responseDone = false;
  /**
   * The client sends nothing behind this request: it has no body, and asks for the end of the connection (RFC 9112, 9.6). Not a method
   * that may bring content: old clients send that without a length.
   */
  #last = false;
  /** On this connection, until now. */
  #requests = 0;

  constructor(context: ServerContext, deadlines: ConnectionDeadlines, input: ClientInput, output: ClientOutput, owner: TurnOwner) {
    this.#context = context;
    this.#deadlines = deadlines;
    this.#input = input;
    this.#output = output;
    this.#owner = owner;
    this.#body = new BodyIntake(context, deadlines, input, this);
  }

  get info(): ConnectionInfo {
    return this.#owner.info;
  }

  get peerEnded(): boolean {
    return this.#owner.peerEnded;
  }

  // -- What the connection tells

  /** Gives the request that stands in the parser to the handler. */
  begin(): void {
    const { parser, handler } = this.#context;
    const { request, keepAlive, upgrade } = parser;
    this.#deadlines.clearRead();
    this.#requests++;
    this.#keepAlive = keepAlive;
    this.#responseDone = false;
    const body = this.#body.begin();
    this.#last = !keepAlive && body === undefined && (request.method === "GET" || request.method === "HEAD");
    this.clientEnds();
    const response = new EngineResponse(this, this.#output, request.method === "HEAD", request.httpVersion === "1.0");
    const exchange = new EngineExchange(this, request, body, response, upgrade);
    this.#response = response;
    this.#exchange = exchange;
    try {
      const result = handler(exchange);
      if (result !== undefined && !(result instanceof Completion)) result.then(undefined, (error: unknown) => this.#handlerFailed(exchange, error));
    } catch (error) {
      this.#handlerFailed(exchange, error);
    }
    this.#body.handed();
  }

  /** Gives what is held to the body; false when there is nothing more to do for now. */
  readBody(): boolean {
    return this.#body.open && this.#body.read();
  }

  /** Whether more is to be read while `held` bytes wait. */
  mayRead(held: number): boolean {
    if (this.#body.open) return this.#body.mayRead(held);
    return held <= this.#context.limits.maxRequestBufferSize && !this.#input.droppedTooMuch;
  }

  /** A FIN may be a half-close or all that shows of a client that left: who sends it is not waited for long. */
  clientEnds(): void {
    if (this.#owner.peerEnded && !this.#body.open) this.#deadlines.setRead(this.#context.limits.halfClosedTimeout);
  }

  /** What was to come did not. False: nobody reads the answer either. */
  overdue(time: number): boolean {
    if (this.#body.open) {
      this.#body.overdue(time, this.#responseDone);
    } else if (this.#owner.peerEnded) {
      // What is still unsent shows whether somebody reads: the minimum rate judges that.
      if (this.#output.unsent === 0) return false;
      this.clientEnds();
    }
    return true;
  }

  drained(): void {
    this.#response?.drained();
  }

  /** The system has taken the whole response. */
  responseTaken(): void {
    if (this.#responseDone || this.#exchange === undefined) return;
    this.#responseDone = true;
    this.#deadlines.clearWrite();
    this.#response?.flushed();
    try {
      this.#exchange.complete();
    } catch (error) {
      this.#owner.broken(error);
    }
    const body = this.#body;
    if (body.finished && this.#keepAlive) this.#owner.turnOver(true);
    // Its reader may still use it: the turn is over when it has come to its end.
    else if (body.wanted) return;
    else if (this.#keepAlive) body.drain();
    else if (this.#last) this.#owner.close();
    else this.#owner.linger();
  }

  /** Nothing is under way any more, whoever still holds the exchange. Returns it, to be ended by `lost` or `givenAway`. */
  leave(): EngineExchange | undefined {
    const exchange = this.#exchange;
    this.#body.leave();
    this.#exchange = undefined;
    return exchange;
  }

  /** As `leave`, and keeps nothing of the exchange. */
  clear(): void {
    this.#body.clear();
    this.#exchange = undefined;
    this.#response = undefined;
  }

  /** The connection was lost while it served `exchange`; an upgrade tells its tunnel. */
  lost(exchange: EngineExchange, cause: Error, upgraded: boolean): void {
    this.#body.fail(cause);
    this.#response?.close();
    if (!upgraded) exchange.clientGone(cause);
    exchange.complete();
  }

  /** Another process goes on with `exchange`. */
  givenAway(exchange: EngineExchange | undefined): void {
    const response = this.#response;
    const body = this.#body;
    this.#response = undefined;
    response?.close();
    body.fail(new ExchangeStateError("the request was given to another process"));
    body.clear();
    exchange?.complete();
  }

  /** Nothing more can follow on this connection. */
  refuseMore(): void {
    this.#keepAlive = false;
  }

  /** Whether nothing of `exchange` was read or answered but its head. */
  isUntouched(exchange: EngineExchange): boolean {
    const { response } = exchange;
    return exchange === this.#exchange && !response.started && !response.ended && !this.#body.started;
  }

  // -- What an exchange asks

  upgrade(exchange: EngineExchange, head: ResponseHead): Tunnel {
    if (!this.#body.finished) throw new ExchangeStateError("the request has a body");
    return this.#owner.upgrade(exchange, head);
  }

  hold(exchange: EngineExchange): HeldConnection | undefined {
    return this.#owner.hold(exchange);
  }

  // -- What the body tells

  bodyEnded(): void {
    if (this.#responseDone) this.#owner.turnOver(this.#keepAlive);
    else this.clientEnds();
  }

  bodyBroken(fault: Error | undefined): void {
    this.#keepAlive = false;
    this.#input.deafen();
    this.#deadlines.clearRead();
    this.clientEnds();
    if (fault !== undefined) {
      this.#context.onFault(fault, this.info.id);
      this.#body.fail(fault);
    }
    if (this.#responseDone) this.#owner.linger();
  }

  sendContinue(): void {
    if (this.#response?.started === false) this.#output.writeText("HTTP/1.1 100 Continue\r\n\r\n");
  }

  broken(error: unknown): void {
    this.#owner.broken(error);
  }

  // -- What a response asks

  continueSent(): void {
    this.#body.continueSent();
  }

  decidePersistence(whole: boolean, possible: boolean): boolean {
    const { closing, limits: { maxRequestsPerConnection } } = this.#context;
    let keep = possible && this.#keepAlive && !closing && !this.#input.deaf;
    if (!this.#body.canBePassed(whole)) keep = false;
    if (maxRequestsPerConnection !== undefined && this.#requests >= maxRequestsPerConnection) keep = false;
    this.#keepAlive = keep;
    return keep;
  }

  responseEnded(): void {
    if (this.#exchange !== undefined && !this.#output.whenTaken()) this.responseTaken();
  }

  responseAborted(cause: Error, hard: boolean): void {
    const exchange = this.#exchange;
    this.#owner.giveUp(hard);
    try {
      this.#body.fail(cause);
      exchange?.complete();
    } catch (error) {
      this.#owner.broken(error);
    }
  }

  // -- Inside

  #handlerFailed(exchange: EngineExchange, error: unknown): void {
    const fault = asError(error);
    this.#context.onFault(fault, this.info.id);
    if (exchange !== this.#exchange || exchange.response.ended) return;
    if (exchange.response.started) {
      exchange.response.abort(fault);
      return;
    }
    exchange.response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }
}

/** What was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("a value that is no error was thrown", { cause: error });
}
