import type { Socket } from "node:net";
import { DestinationError } from "../../destination-client.ts";
import type { ResponseHead } from "../../exchange.ts";
import { destinationFault } from "../../tls/destination-fault.ts";
import { CallTurn, type CallTurnOwner } from "./call-turn.ts";
import { ClientTunnel } from "./client-tunnel.ts";
import { Countdown } from "./countdown.ts";
import type { EngineCall } from "./engine-call.ts";
import type { EngineDestination } from "./engine-destination.ts";
import { openSocket, type SocketListener, type SocketOpening } from "./open-socket.ts";
import { ReadMemory } from "./read-memory.ts";

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
 * 3. busy with one call: request out, response in, both at once (`CallTurn`);
 * 4. back to idle when both are complete, nothing is left over and the peer keeps it open; a tunnel after 101;
 *    closed in all other cases.
 */
export class ClientConnection implements SocketListener, CallTurnOwner {
  /** The call that it serves, and what is known of those before. */
  readonly turn: CallTurn;
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
  /** It does not hold the process open. */
  resting = false;
  readonly #destination: EngineDestination;
  readonly #opening: SocketOpening;
  readonly #memory = new ReadMemory();
  /** For its opening, and for the last of a request that was answered before. */
  readonly #timeout: Countdown;
  /** Once it is open. */
  #socket!: Socket;
  #state: State = "connecting";
  #tunnel: ClientTunnel | undefined = undefined;

  /** `open` gives it its socket: a new one, or one that is open already, which `socketOpened` is told then. */
  constructor(destination: EngineDestination, initiator: EngineCall | undefined, open: typeof openSocket = openSocket) {
    this.#destination = destination;
    this.initiator = initiator;
    this.turn = new CallTurn(destination, this);
    this.tlsGeneration = destination.tls?.generation ?? 0;
    this.#timeout = new Countdown(destination.wheel, () => this.#timedOut());
    this.#opening = open(
      {
        ...destination.means,
        origin: destination.origin,
        alpnProtocols,
        session: destination.session,
        onread: {
          buffer: () => (this.#state === "connecting" ? this.#memory.first : this.#memory.takeNext()) as Buffer,
          callback: (count, buffer) => this.#onRead(count, buffer as Buffer),
        },
      },
      this,
    );
    this.#timeout.start(destination.options.connectTimeout);
  }

  get open(): boolean {
    return this.#state === "open";
  }

  // What the opening of the socket tells

  socketOpened(socket: Socket): void {
    this.#socket = socket;
    socket.on("drain", () => (this.#tunnel === undefined ? this.turn.drained() : this.#tunnel.drained()));
    socket.on("end", () => (this.#tunnel === undefined ? this.turn.ended() : this.#tunnel.receiveEnd()));
    socket.on("error", (error: Error) => this.lost(error));
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.#timeout.stop();
    this.opened = true;
    this.openedAt = this.#destination.wheel.time;
    this.#destination.connectionOpened(this);
  }

  socketFailed(error: Error): void {
    this.lost(error);
  }

  socketClosed(): void {
    this.lost(undefined);
    this.#destination.connectionClosed(this);
  }

  socketSession(session: Buffer): void {
    if (this.tlsGeneration === this.#destination.tls?.generation) this.#destination.session = session;
  }

  // What the destination tells

  /** Sends the request of `call`. The connection must be idle. */
  start(call: EngineCall): void {
    if (this.resting) {
      this.resting = false;
      this.#socket.ref();
    }
    call.connection = this;
    this.turn.begin(call, this.#socket);
  }

  /** It is idle and may stay so: a process with nothing else to do may end. */
  rest(): void {
    this.resting = true;
    this.#socket.unref();
  }

  /** Cuts the connection; whoever it served was told or does not care. */
  destroy(): void {
    if (this.#state === "closed") return;
    const connecting = this.#state === "connecting";
    this.#state = "closed";
    this.turn.leave();
    this.#timeout.stop();
    if (connecting) this.#opening.destroy();
    else this.#socket.destroy();
    this.#destination.connectionLost(this);
  }

  /** Cuts the connection and tells the call, or the tunnel, that was on it. */
  cut(cause: Error): void {
    const { call } = this.turn;
    const { initiator } = this;
    const error = call === undefined ? this.#notOpened("the client was shut down", cause, "gateway") : this.turn.errorOfCut(cause);
    this.#tunnel?.lost(cause);
    this.destroy();
    (call ?? initiator)?.fail(error);
  }

  // What the turn tells

  turnOver(reusable: boolean): void {
    if (!reusable) this.destroy();
    else if (this.#socket.writableLength === 0) this.#destination.connectionFree(this);
    else this.#freeOnceWritten();
  }

  becomeTunnel(call: EngineCall, head: ResponseHead, early: Buffer | undefined): void {
    this.#state = "tunnel";
    this.#tunnel = new ClientTunnel(this.#socket, early);
    call.tellUpgrade(head, this.#tunnel);
  }

  lost(cause: Error | undefined): void {
    if (this.#state === "closed") return;
    if (this.#state === "connecting") {
      const fault = cause === undefined ? undefined : destinationFault(cause);
      this.#connectFailed(this.#notOpened(fault ?? "no connection", cause, "destination"));
      return;
    }
    if (this.#tunnel !== undefined) {
      this.#tunnel.lost(cause ?? new Error(`${this.#destination.name}: the connection is closed`));
      this.destroy();
      return;
    }
    const { call } = this.turn;
    if (call === undefined) {
      this.destroy();
      return;
    }
    const resend = this.turn.canResend(call);
    const error = this.turn.errorOfLoss(cause);
    this.turn.leave();
    if (resend) this.#destination.resend(call);
    this.destroy();
    if (!resend) call.fail(error);
  }

  // Inside

  #onRead(count: number, buffer: Buffer): boolean {
    if (this.#tunnel !== undefined) return this.#tunnel.receive(buffer, count);
    const { turn } = this;
    if (turn.call === undefined) {
      // Nothing was asked: what comes now would be taken for the answer to the next request.
      this.destroy();
      return false;
    }
    const memory = this.#memory;
    const own = memory.isOwn(buffer);
    if (!turn.read(buffer, count, !own)) return false;
    if (own && turn.kept) memory.giveUpOwn();
    if (this.#state === "tunnel") return this.#tunnelFlows();
    if (this.#state !== "open") return false;
    memory.choose(turn.expectsLarge(count), own);
    return turn.wantsMore;
  }

  #tunnelFlows(): boolean {
    return this.#tunnel !== undefined && this.#tunnel.flowing;
  }

  #timedOut(): void {
    if (this.#state !== "connecting") {
      this.destroy();
      return;
    }
    const { connectTimeout } = this.#destination.options;
    this.#connectFailed(
      new DestinationError(`${this.#destination.name}: no connection within ${connectTimeout} ms`, {
        step: "connect",
        timedOut: true,
        requestSent: false,
      }),
    );
  }

  /**
   * The whole answer came before the last of the request was written. A destination that then does not take it is left after
   * a while.
   */
  #freeOnceWritten(): void {
    this.#timeout.start(flushTimeout);
    this.#socket.write(nothing, (error) => {
      if (this.#state !== "open") return;
      this.#timeout.stop();
      if (error == null && !this.turn.peerEnded) this.#destination.connectionFree(this);
      else this.destroy();
    });
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

  #notOpened(fault: string, cause: Error | undefined, source: "destination" | "gateway"): DestinationError {
    return new DestinationError(`${this.#destination.name}: ${fault}`, {
      step: "connect",
      source,
      requestSent: false,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
