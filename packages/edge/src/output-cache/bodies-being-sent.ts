import type { Exchange } from "@proxy/http";

/**
 * The bodies that clients are being sent. A body that was pushed out of the cache stays in memory as long as a client that reads slowly has not got all of it; so each of them counts, once, until
 * the last of its clients has it.
 */
export class BodiesBeingSent {
  readonly #clients = new Map<object, number>();
  /** Of all of them. */
  bytes = 0;

  /** To be called behind `send` or the last `write`: nothing is noted of what the system has taken already. */
  note(body: object, bytes: number, exchange: Exchange): void {
    if (exchange.response.pending === 0) return;
    const clients = this.#clients.get(body) ?? 0;
    if (clients === 0) this.bytes += bytes;
    this.#clients.set(body, clients + 1);
    exchange.onComplete(() => this.#leave(body, bytes));
  }

  #leave(body: object, bytes: number): void {
    const clients = this.#clients.get(body) ?? 0;
    if (clients > 1) {
      this.#clients.set(body, clients - 1);
      return;
    }
    this.#clients.delete(body);
    this.bytes -= bytes;
  }
}
