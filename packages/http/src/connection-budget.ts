/**
 * Counts connections for `maxConcurrentConnections` and `maxConcurrentUpgradedConnections`. Servers that are given the same
 * one share their places, as the endpoints of one Kestrel do; each still compares with the limits in its own options.
 * Only front servers call its methods: every place that one takes it frees once, at the latest when the socket has closed.
 */
export class ConnectionBudget {
  #open = 0;
  #upgraded = 0;

  /** Connections open now, those in a TLS handshake included and upgraded ones not. */
  get open(): number {
    return this.#open;
  }

  /** Upgraded connections open now; of HTTP/2, each tunnel counts as one and its connection stays an open one. */
  get upgraded(): number {
    return this.#upgraded;
  }

  takeOpen(): void {
    this.#open++;
  }

  freeOpen(): void {
    this.#open--;
  }

  takeUpgraded(): void {
    this.#upgraded++;
  }

  freeUpgraded(): void {
    this.#upgraded--;
  }
}
