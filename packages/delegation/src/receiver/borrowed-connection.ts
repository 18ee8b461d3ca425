import type { Socket } from "node:net";
import type { ConnectionLender, GiveBackOutcome } from "@proxy/http";
import { frame, frameKind, type HandBack, type HandOver } from "../unix/frames.ts";
import type { Adopt, ServedConnection } from "./lender.ts";

/** What a connection of a gateway's client asks of the door that it came through. */
export interface BorrowedFrom {
  readonly isOpen: boolean;
  write(frame: Buffer): void;
  /** It is served, or no longer. */
  countServed(change: 1 | -1): void;
  /** It goes back; its copy is kept for the next hand-over, or not. */
  returns(connection: BorrowedConnection, handBack: HandBack): void;
  /** Its copy is not kept any more. */
  keepsNot(connection: BorrowedConnection): void;
  /** It is not known by its number any more. */
  leaves(connection: BorrowedConnection): void;
}

/**
 * A connection of a client from when it comes until this process's copy of it is closed. `served`: for one request, and then it
 * goes back. `kept`: the gateway has it, and may hand it over again. `own`: it stays and ends here. `over`: the copy is closed.
 */
export class BorrowedConnection implements ConnectionLender {
  readonly id: number;
  readonly #from: BorrowedFrom;
  readonly #socket: Socket;
  #served: ServedConnection | undefined;
  #state: "served" | "kept" | "own" | "over";
  /** The gateway has said that it does not take it back. */
  #endsHere = false;

  constructor(from: BorrowedFrom, id: number, socket: Socket, isOwn: boolean) {
    this.id = id;
    this.#from = from;
    this.#socket = socket;
    this.#state = isOwn ? "own" : "served";
    from.countServed(1);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#closed());
  }

  get isKept(): boolean {
    return this.#state === "kept";
  }

  /** The copy can still be used. */
  get isAlive(): boolean {
    return !this.#socket.destroyed;
  }

  /** Serves what came; in state `own` for good. */
  adopt(adopt: Adopt, handOver: HandOver): void {
    this.#served = adopt(this.#socket, handOver, this.#state === "own" ? undefined : this);
  }

  /** It has come again, in state `kept`; served by `serve`. */
  takeUp(): void {
    this.#state = "served";
    this.#from.keepsNot(this);
    this.#from.countServed(1);
  }

  serve(handOver: HandOver): void {
    // The client may have gone meanwhile, or its gateway.
    if (this.#state === "over") return;
    if (handOver.mode === "sticky") this.keeps();
    this.#served?.resume(handOver);
  }

  giveBack(_socket: Socket, rest: Buffer, canReturn: boolean): GiveBackOutcome {
    if (this.#endsHere || !this.#from.isOpen) return "close";
    if (this.#state !== "served") return "stays";
    this.#state = "kept";
    this.#from.countServed(-1);
    this.#from.returns(this, { keepsCopy: canReturn, rest });
    if (!canReturn) this.#leave();
    return "taken";
  }

  keeps(): void {
    if (this.#state !== "served") return;
    this.#state = "own";
    this.#from.leaves(this);
    this.#from.write(frame(frameKind.kept, this.id));
  }

  /** To make place for others. */
  drop(): void {
    this.#from.write(frame(frameKind.dropped, this.id));
    this.#leave();
  }

  /** The gateway has closed its copy, or has gone: nothing is to be told it. */
  forgotten(): void {
    this.#endsHere = true;
    if (this.#state === "kept") this.#leave();
    else if (this.#state === "served") {
      this.#state = "own";
      this.#from.leaves(this);
    }
  }

  /** Out of the state `kept`. */
  #leave(): void {
    this.#state = "over";
    this.#from.keepsNot(this);
    this.#from.leaves(this);
    this.#socket.destroy();
  }

  #closed(): void {
    const before = this.#state;
    this.#state = "over";
    if (before === "over") return;
    if (before === "kept") {
      this.#from.keepsNot(this);
      this.#from.write(frame(frameKind.dropped, this.id));
    } else {
      this.#from.countServed(-1);
      if (before === "served") this.#from.write(frame(frameKind.finished, this.id));
    }
    this.#from.leaves(this);
  }
}
