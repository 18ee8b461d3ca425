import { Socket } from "node:net";
import type { HeldConnection } from "../../exchange.ts";
import type { ClientInput } from "./client-input.ts";
import { EngineConnectionInfo } from "./connection-info.ts";
import type { ConnectionLender, GiveBackOutcome } from "./connection-lender.ts";
import type { ConnectionSocket } from "./connection-socket.ts";
import type { EngineExchange } from "./engine-exchange.ts";
import type { ExchangeTurn } from "./exchange-turn.ts";
import { canLeave, EngineHeldConnection, type HoldOwner, restartHandle, stopHandle } from "./held-connection.ts";

const noBytes = Buffer.alloc(0);

/** The connection that goes to another process, and may come back. */
export interface HandoverOwner {
  /** Another process has it: it is neither read nor written here, and no time runs. False: its socket is closed, or given up. */
  goAway(): boolean;
  /** Whether it is away. */
  readonly away: boolean;
  /** It is here again, between two requests; `bytes` were read already. */
  continueWith(bytes: Buffer): void;
  giveUp(hard: boolean): void;
  /** A listener has thrown: nothing is known about what it did. */
  broken(error: unknown): void;
}

/**
 * Gives a connection to another process, with a request or between two, and takes it back: stops and starts its socket, so that no
 * byte is read twice or not at all.
 */
export class Handover implements HoldOwner {
  readonly #socket: ConnectionSocket;
  readonly #input: ClientInput;
  readonly #turn: ExchangeTurn;
  readonly #owner: HandoverOwner;
  #held = false;

  constructor(socket: ConnectionSocket, input: ClientInput, turn: ExchangeTurn, owner: HandoverOwner) {
    this.#socket = socket;
    this.#input = input;
    this.#turn = turn;
    this.#owner = owner;
  }

  /** Holds the connection of `exchange`. Undefined when it cannot leave, or more than the head of the request was touched. */
  hold(exchange: EngineExchange): HeldConnection | undefined {
    const socket = this.#socket;
    const info = exchange.connection;
    if (this.#held || this.#input.deaf || !this.#turn.isUntouched(exchange)) return undefined;
    if (!(info instanceof EngineConnectionInfo) || !canLeave(socket)) return undefined;
    // Asked for now: once the socket is closed the system does not tell it any more.
    void info.remoteAddress;
    const { request, body } = exchange;
    const head = Buffer.from(`${request.method} ${request.target} HTTP/${request.httpVersion}\r\n${request.headers.toWire()}\r\n`, "latin1");
    this.#held = true;
    // As long as it is held nothing is used of what came: as when others have their turn.
    this.#input.hold();
    const rest = this.#takeRest(socket);
    return new EngineHeldConnection(this, socket, head, rest, body === undefined ? 0 : (body.length ?? -1));
  }

  /** Offers the connection to `lender` between two requests. "stays" also when it cannot leave now. */
  giveBack(lender: ConnectionLender, canReturn: boolean): GiveBackOutcome {
    const socket = this.#socket;
    if (!canLeave(socket)) return "stays";
    this.#input.stop();
    const rest = this.#takeRest(socket);
    const outcome = lender.giveBack(socket, rest, canReturn);
    if (outcome === "taken") {
      this.#owner.goAway();
      this.#input.buffer.clear();
    } else {
      restartHandle(socket);
      this.#input.restart();
    }
    return outcome;
  }

  resumeWith(bytes: Buffer): void {
    if (!this.#owner.away) return;
    restartHandle(this.#socket as Socket);
    this.#input.takeBack();
    this.#owner.continueWith(bytes);
  }

  letGo(how: "closed" | "reset"): void {
    if (this.#owner.away) this.#owner.giveUp(how === "reset");
  }

  holdReleased(): void {
    const exchange = this.#turn.leave();
    this.#owner.giveUp(false);
    this.#gaveAway(exchange);
  }

  holdLent(): void {
    const exchange = this.#turn.leave();
    if (this.#owner.goAway()) this.#gaveAway(exchange);
  }

  holdCancelled(connection: "stays" | "closes"): void {
    this.#held = false;
    if (this.#socket.destroyed) return;
    restartHandle(this.#socket as Socket);
    if (connection === "closes") this.#turn.refuseMore();
    this.#input.unhold();
  }

  #gaveAway(exchange: EngineExchange | undefined): void {
    this.#held = false;
    this.#input.release();
    try {
      this.#turn.givenAway(exchange);
    } catch (error) {
      this.#owner.broken(error);
    }
  }

  /** Stops reading at once; what was read and not used. */
  #takeRest(socket: Socket): Buffer {
    const { buffer } = this.#input;
    const late = stopHandle(socket);
    if (late !== null) buffer.append(late);
    return buffer.length === 0 ? noBytes : Buffer.from(buffer.bytes.subarray(buffer.start, buffer.end));
  }
}
