import type { Exchange } from "@proxy/http";
import type { DelegationError } from "./errors.ts";
import type { DelegationMode } from "./unix/frames.ts";

/** Where requests go: a queue, and the URL prefix that the other process has registered on it. */
export interface DelegationTarget {
  readonly queueName: string;
  /** In its one form: see `normalizeUrlPrefix`. */
  readonly urlPrefix: string;
  readonly mode: DelegationMode;
}

/** Told when an attempt is over; without an error the other process has the request. */
export type DelegateDone = (error: DelegationError | undefined) => void;

/** The request cannot be delegated at all: its body was touched, its response has started, its connection is of the wrong kind. */
export class NotDelegableError extends Error {
  override readonly name = "NotDelegableError";
}

/** A queue of another process, opened for giving it requests. One per name. */
export interface QueueHandle {
  /**
   * Gives the request away, or tells why not: then whoever calls still owns it. Calls `done` once, perhaps before it returns. Throws
   * `NotDelegableError`.
   */
  delegate(exchange: Exchange, target: DelegationTarget, done: DelegateDone): void;
  /** The one listener told when the other process goes; not after `close`. Missing where only the next use tells. */
  onLost?: ((cause: DelegationError | undefined) => void) | undefined;
  /** At once. What is under way ends with `DISPOSED`. */
  close(): void;
}

/** A way to other processes: HTTP.sys request queues, or sockets over Unix-domain sockets. */
export interface DelegationCarrier {
  readonly kind: "httpsys" | "unix";
  /** The name in the form in which two names are the same queue. */
  nameKey(queueName: string): string;
  /** Why `queueName` can never be opened; undefined when it may. */
  nameFault(queueName: string): string | undefined;
  /** Opens the queue; throws or rejects with `DelegationError`. */
  open(queueName: string): QueueHandle | Promise<QueueHandle>;
}
