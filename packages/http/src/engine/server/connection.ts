import { type BadRequestError, ClientGoneError } from "../../errors.ts";
import type { ConnectionInfo, HeldConnection, ResponseHead, Tunnel } from "../../exchange.ts";
import { resetSocket } from "../../reset-socket.ts";
import { maximumHeld } from "./body-intake.ts";
import { ClientInput, type InputOwner } from "./client-input.ts";
import { ClientOutput, type OutputOwner } from "./client-output.ts";
import { ConnectionDeadlines, type DeadlineOwner } from "./connection-deadlines.ts";
import type { AdoptedConnection, ConnectionLender } from "./connection-lender.ts";
import type { ConnectionSocket } from "./connection-socket.ts";
import type { EngineExchange } from "./engine-exchange.ts";
import { EngineTunnel, type TunnelOwner } from "./engine-tunnel.ts";
import { asError, ExchangeTurn, type TurnOwner } from "./exchange-turn.ts";
import { Handover, type HandoverOwner } from "./handover.ts";
import { type IntakeOwner, RequestIntake } from "./request-intake.ts";
import type { ServerContext } from "./server-context.ts";
import { switchingProtocols, tooManyUpgraded, upgradesExhausted } from "./switching-protocols.ts";

/** How long a connection is read after its last answer, so that no reset destroys that. */
const lingerTime = 5000;

/** Between requests, or in a head. */
const phaseHead = 0;
/** An exchange has its turn. */
const phaseTurn = 1;
const phaseTunnel = 2;
/** The last answer was sent: what comes is dropped until the client closes. */
const phaseLinger = 3;
const phaseClosed = 4;
/** Another process has the connection: it is neither read nor written here, and no time runs. */
const phaseAway = 5;

/**
 * One connection of a client: the only owner of its socket, from accept to close. Takes requests from it one
 * after the other and gives each its turn; the next one is not looked at before the response to the last has
 * been handed to the system as a whole.
 *
 * What happens in each phase is in files of its own: heads in `request-intake`, request and response in `exchange-turn`, tunnels in
 * `engine-tunnel`, other processes in `handover`. `client-input` holds what came and when the socket is read, `client-output` what is
 * written, `connection-deadlines` the time. Here is only how one phase follows the other.
 */
export class Connection
  implements DeadlineOwner, InputOwner, OutputOwner, IntakeOwner, TurnOwner, TunnelOwner, HandoverOwner, AdoptedConnection {
  readonly info: ConnectionInfo;
  /** The client has half-closed. */
  peerEnded = false;
  readonly #context: ServerContext;
  readonly #socket: ConnectionSocket;
  readonly #deadlines: ConnectionDeadlines;
  readonly #input: ClientInput;
  readonly #output: ClientOutput;
  readonly #intake: RequestIntake;
  readonly #turn: ExchangeTurn;
  #phase = phaseHead;
  #tunnel: EngineTunnel | undefined = undefined;
  #handover: Handover | undefined = undefined;
  /** Where the connection goes after each exchange, when it belongs to another process. */
  readonly #lender: ConnectionLender | undefined;
  #lastError: Error | undefined = undefined;

  constructor(context: ServerContext, socket: ConnectionSocket, info: ConnectionInfo, lender?: ConnectionLender) {
    const { limits, wheel } = context;
    this.#lender = lender;
    this.#context = context;
    this.#socket = socket;
    this.info = info;
    this.#deadlines = new ConnectionDeadlines(wheel, this);
    this.#input = new ClientInput(socket, this);
    this.#output = new ClientOutput(socket, this.#deadlines, limits.minResponseDataRate, info.tls !== undefined, this);
    this.#intake = new RequestIntake(context, this.#deadlines, this.#output, this);
    this.#turn = new ExchangeTurn(context, this.#deadlines, this.#input, this.#output, this);
    this.#deadlines.setRead(limits.requestHeadersTimeout);
    this.#deadlines.start();
  }

  /** Waiting for a request: may be closed without loss. */
  get idle(): boolean {
    return this.#phase === phaseHead && this.#input.buffer.length === 0;
  }

  get upgraded(): boolean {
    return this.#tunnel !== undefined;
  }

  // -- What the socket tells

  data(chunk: Buffer): void {
    const input = this.#input;
    if (input.deaf) {
      if (input.drop(chunk.length)) return;
      if (this.#phase === phaseLinger) this.destroy();
      else input.stop();
    } else if (this.#phase !== phaseClosed) {
      input.buffer.append(chunk);
      input.use();
    }
  }

  /** As `data`, for the first `count` bytes of memory that is used again when this returns. */
  lent(memory: Buffer, count: number): void {
    const input = this.#input;
    if (this.#phase >= phaseLinger || input.deaf) {
      this.data(memory.subarray(0, count));
      return;
    }
    input.buffer.borrow(memory, count);
    input.use();
    input.buffer.settle();
  }

  ended(): void {
    this.peerEnded = true;
    this.#output.halfClosed = true;
    if (this.#input.waiting) return;
    if (this.#phase === phaseHead) this.#intake.ended(this.#input.buffer);
    else if (this.#phase === phaseTunnel) this.#tunnel?.peerEnded();
    else {
      this.#input.use();
      this.writtenHalfClosed();
    }
  }

  drained(): void {
    this.#deadlines.clearWrite();
    if (this.#tunnel !== undefined) this.#tunnel.drained();
    else this.#turn.drained();
  }

  failed(error: Error): void {
    this.#lastError = error;
    this.#context.onFault(error, this.info.id);
  }

  closed(): void {
    const upgraded = this.#phase === phaseTunnel;
    this.#enter(phaseClosed);
    this.#deadlines.stop();
    const exchange = this.#turn.leave();
    if (exchange !== undefined) {
      const error = this.#lastError;
      const clean = this.#tunnel !== undefined && this.peerEnded && error === undefined;
      const cause = clientGone(error);
      if (!clean) this.#input.buffer.clear();
      this.#guard(() => {
        if (!clean) this.#tunnel?.closed(cause);
        this.#turn.lost(exchange, cause, upgraded);
      });
    }
    this.#context.connectionClosed(this);
  }

  // -- What the server tells

  /** Closes after what is under way, or now when that is nothing. Who uses the tunnel is told. */
  shutDown(): void {
    const tunnel = this.#tunnel;
    if (tunnel !== undefined) this.#guard(() => tunnel.shutDown());
    else if (this.idle) this.linger();
    // Whoever has it ends it.
    else if (this.#phase === phaseAway) this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Begins between two requests, or after another process has stopped there; `bytes` were read already. */
  continueWith(bytes: Buffer): void {
    this.#enter(phaseHead);
    if (bytes.length > 0) this.data(bytes);
    else if (this.peerEnded || this.#context.closing) this.linger();
    else this.#intake.wait(this.#input.buffer);
  }

  // -- What the time tells

  readOverdue(time: number): void {
    if (this.#phase === phaseHead) {
      this.#intake.overdue(this.#input.buffer);
    } else if (this.#phase === phaseLinger || (this.#phase === phaseTurn && !this.#turn.overdue(time))) {
      this.destroy();
    }
  }

  writeOverdue(): boolean {
    return this.#output.overdue();
  }

  // -- What input and output tell

  step(): boolean {
    switch (this.#phase) {
      case phaseHead:
        if (this.#input.buffer.length === 0 || !this.#intake.take(this.#input.buffer)) return false;
        this.#phase = phaseTurn;
        this.#turn.begin();
        return true;
      case phaseTurn:
        return this.#turn.readBody();
      case phaseTunnel:
      case phaseClosed:
        if (this.#tunnel?.ready === true) this.#tunnel.consume(this.#input.buffer);
        return false;
      default:
        return false;
    }
  }

  mayRead(held: number): boolean {
    switch (this.#phase) {
      case phaseTurn:
        return this.#turn.mayRead(held);
      case phaseTunnel:
        return (this.#tunnel as EngineTunnel).ready || held <= maximumHeld;
      default:
        return this.#phase !== phaseAway;
    }
  }

  caughtUp(): void {
    if (this.peerEnded) this.ended();
  }

  outputTaken(): void {
    this.#turn.responseTaken();
  }

  writtenHalfClosed(): void {
    if (this.#phase === phaseTurn) this.#turn.clientEnds();
  }

  // -- What intake and turn ask

  turnOver(keepAlive: boolean): void {
    const held = this.#input.buffer.length;
    if (!keepAlive || (this.peerEnded && held === 0)) {
      this.linger();
      return;
    }
    this.#phase = phaseHead;
    this.#turn.clear();
    const outcome = this.#lender === undefined ? "stays" : this.#handOver().giveBack(this.#lender, !this.peerEnded);
    if (outcome === "taken") return;
    if (outcome === "close") {
      this.linger();
      return;
    }
    this.#intake.wait(this.#input.buffer);
    if (this.#input.buffer.length > 0) this.#input.use();
  }

  refused(error: BadRequestError): void {
    this.#context.onFault(error, this.info.id);
  }

  /** Sends a FIN after the last answer, and reads on for a while: closing now could destroy the answer. */
  linger(): void {
    if (this.#phase >= phaseLinger) return;
    this.#enter(phaseLinger);
    this.#turn.leave();
    this.#input.deafen();
    this.#deadlines.setRead(lingerTime);
    this.#socket.end();
    this.#input.restart();
  }

  /** Closes at once where no byte that was not read can turn that into a reset: it spares the system a FIN of its own and one more read. */
  close(): void {
    if (this.#input.buffer.length > 0 || this.info.tls !== undefined) this.linger();
    else this.giveUp(false);
  }

  giveUp(hard: boolean): void {
    this.#turn.leave();
    this.#enter(phaseClosed);
    if (hard) resetSocket(this.#socket);
    else this.#socket.destroy();
  }

  broken(error: unknown): void {
    this.#context.onFault(asError(error), this.info.id);
    this.#socket.destroy();
  }

  upgrade(exchange: EngineExchange, head: ResponseHead): Tunnel {
    const context = this.#context;
    const text = switchingProtocols(head);
    // Others were accepted since the request came.
    if (upgradesExhausted(context)) throw tooManyUpgraded();
    exchange.response.give(101);
    const tunnel = new EngineTunnel(this, this.#output);
    if (this.#phase === phaseClosed) {
      tunnel.closed(clientGone(this.#lastError));
      return tunnel;
    }
    this.#output.writeText(text);
    this.#phase = phaseTunnel;
    this.#tunnel = tunnel;
    this.#output.unwatched = true;
    this.#deadlines.clear();
    context.budget.freeOpen();
    context.budget.takeUpgraded();
    this.#lender?.keeps();
    if (context.closing) tunnel.shutDown();
    if (this.peerEnded) tunnel.peerEnded();
    return tunnel;
  }

  // -- What a tunnel asks

  tunnelWanted(): void {
    this.#input.use();
  }

  tunnelEnded(): void {
    this.#socket.end();
  }

  tunnelAborted(cause: Error): void {
    const exchange = this.#turn.leave();
    this.giveUp(true);
    this.#guard(() => {
      this.#tunnel?.closed(cause);
      exchange?.complete();
    });
  }

  // -- What another process does with the connection

  hold(exchange: EngineExchange): HeldConnection | undefined {
    if (this.#phase !== phaseTurn) return undefined;
    const held = this.#handOver().hold(exchange);
    if (held !== undefined) this.#deadlines.clear();
    return held;
  }

  resumeWith(bytes: Buffer): void {
    this.#handOver().resumeWith(bytes);
  }

  get away(): boolean {
    return this.#phase === phaseAway;
  }

  goAway(): boolean {
    if (this.#phase === phaseClosed) return false;
    this.#enter(phaseAway);
    this.#deadlines.clear();
    return true;
  }

  // -- Inside

  #handOver(): Handover {
    return (this.#handover ??= new Handover(this.#socket, this.#input, this.#turn, this));
  }

  #enter(phase: number): void {
    this.#phase = phase;
    this.#output.closed = phase >= phaseLinger;
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.broken(error);
    }
  }
}

function clientGone(cause: Error | undefined): ClientGoneError {
  return new ClientGoneError("the client left before the exchange was over", cause === undefined ? undefined : { cause });
}
