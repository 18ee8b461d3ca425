import type { Socket } from "node:net";

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
