import type { DestinationTls } from "../../tls/destination-tls.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { PoolOptions } from "./pool-options.ts";

/** A destination closes at the time it announced: its idle connections are left so much earlier, or at half time. */
const announcedMargin = 1000;

/** The idle connections to one origin. The one used last is taken first, so that those not needed grow old. */
export class IdleConnections {
  readonly #options: PoolOptions;
  readonly #tls: DestinationTls | undefined;
  readonly #wheel: TimerWheel;
  /** The one used last at the end. */
  readonly #idle: ClientConnection[] = [];

  constructor(options: PoolOptions, tls: DestinationTls | undefined, wheel: TimerWheel) {
    this.#options = options;
    this.#tls = tls;
    this.#wheel = wheel;
  }

  /** Whether `connection` is not to be used again: opened too long ago, or with other TLS settings. */
  isAged(connection: ClientConnection): boolean {
    const { connectionLifetime } = this.#options;
    if (this.#tls !== undefined && connection.tlsGeneration !== this.#tls.generation) return true;
    return connectionLifetime !== Infinity && this.#wheel.time - connection.openedAt >= connectionLifetime;
  }

  /** One that can take a request; those found too old are closed. */
  take(): ClientConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.idleUntil > this.#wheel.time && !this.isAged(connection)) return connection;
      connection.destroy();
    }
    return undefined;
  }

  put(connection: ClientConnection): void {
    const { announced } = connection.turn;
    connection.idleSince = this.#wheel.after(0);
    connection.idleUntil = connection.idleSince
      + Math.min(this.#options.idleTimeout, announced - Math.min(announcedMargin, announced / 2));
    this.#idle.push(connection);
  }

  /** Forgets one that was lost. */
  remove(connection: ClientConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Closes those that were idle too long; the others hold the process open no more. */
  sweep(time: number): void {
    const idle = this.#idle;
    // From the end: a connection that is closed takes itself out.
    for (let i = idle.length - 1; i >= 0; i--) {
      const connection = idle[i];
      if (connection === undefined) continue;
      if (connection.idleUntil <= time || this.isAged(connection)) connection.destroy();
      else if (!connection.resting && connection.idleSince <= time) connection.rest();
    }
  }

  /** They are closed one by one. */
  forgetAll(): void {
    this.#idle.length = 0;
  }

  closeAll(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
