import { CallQueue } from "./call-queue.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { EngineCall } from "./engine-call.ts";

/**
 * The calls that wait for a connection to one origin, first in first out, and for which of them each connection is being opened. A
 * call that is served by another, or leaves, passes its own on to the next that has none.
 */
export class WaitingCalls {
  readonly #queue = new CallQueue<EngineCall>();
  /** Connections being opened whose call was served by another or left. */
  readonly #spare = new Set<ClientConnection>();

  get size(): number {
    return this.#queue.size;
  }

  get first(): EngineCall | undefined {
    return this.#queue.first;
  }

  /** A connection being opened that nobody waits for. */
  get spare(): ClientConnection | undefined {
    const [spare] = this.#spare;
    return spare;
  }

  push(call: EngineCall): void {
    this.#queue.push(call);
  }

  /** The call to be served next, which waits no longer. */
  take(): EngineCall | undefined {
    const call = this.#queue.shift();
    if (call !== undefined) this.#passOn(call);
    return call;
  }

  /** `call` waits no longer; the connection being opened for it goes on, for others. */
  leave(call: EngineCall): void {
    this.#queue.remove(call);
    this.#passOn(call);
  }

  /** The next call, and nobody waits for the connection being opened for it: both are to be given up. */
  abandon(): EngineCall | undefined {
    const call = this.#queue.shift();
    if (call?.attempt !== undefined) call.attempt.initiator = undefined;
    return call;
  }

  /** `connection` is being opened for `call`. */
  assign(connection: ClientConnection, call: EngineCall): void {
    this.#spare.delete(connection);
    connection.initiator = call;
    call.attempt = connection;
  }

  /** `connection` is being opened, for whoever comes. */
  addSpare(connection: ClientConnection): void {
    this.#spare.add(connection);
  }

  /** `connection` is open, or was lost. */
  opened(connection: ClientConnection): void {
    this.#spare.delete(connection);
  }

  /** Takes those out that have waited for `timeout` until `time` and for whom no connection is being opened, and tells `refuse`. */
  expire(time: number, timeout: number, refuse: (call: EngineCall) => void): void {
    let call = this.#queue.first;
    while (call !== undefined && time - call.queuedSince >= timeout) {
      const { next } = call;
      if (call.attempt === undefined) {
        this.#queue.remove(call);
        refuse(call);
        // Who was told may have changed the queue.
        call = this.#queue.first;
      } else {
        call = next;
      }
    }
  }

  /** Calls `connect` for those without a connection being opened, as long as `more` says. */
  connectEach(more: () => boolean, connect: (call: EngineCall) => void): void {
    let call = this.#queue.first;
    while (call !== undefined && more()) {
      const next: EngineCall | undefined = call.next;
      if (call.attempt === undefined) connect(call);
      // A connection that cannot even be tried fails at once, and the handler told may change the queue.
      call = next === undefined || next.queued ? next : this.#queue.first;
    }
  }

  #passOn(call: EngineCall): void {
    const { attempt } = call;
    if (attempt === undefined) return;
    call.attempt = undefined;
    let heir = this.#queue.first;
    while (heir !== undefined && heir.attempt !== undefined) heir = heir.next;
    attempt.initiator = undefined;
    if (heir === undefined) this.#spare.add(attempt);
    else this.assign(attempt, heir);
  }
}
