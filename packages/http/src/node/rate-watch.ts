import { bodyTooSlow } from "../bounded-body.ts";
import type { ServerLimits } from "../server-limits.ts";
import type { NodeConnection } from "./node-connection.ts";
import type { NodeExchange } from "./node-exchange.ts";

/** Looks at all connections of a server from one coarse timer: minimum data rates and half-closed clients. */
export class RateWatch {
  readonly #connections: Iterable<NodeConnection>;
  readonly #limits: ServerLimits;
  readonly #now: () => number;
  readonly #interval: number;
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  constructor(connections: Iterable<NodeConnection>, limits: ServerLimits, now: () => number) {
    this.#connections = connections;
    this.#limits = limits;
    this.#now = now;
    this.#interval = coarse(
      limits.minRequestBodyDataRate?.gracePeriod, limits.minResponseDataRate?.gracePeriod, limits.halfClosedTimeout,
    );
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#last = this.#now();
    this.#timer = setInterval(() => this.#tick(), this.#interval);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = this.#now();
    const elapsed = now - this.#last;
    this.#last = now;
    for (const connection of this.#connections) {
      if (connection.upgraded || connection.exchanges.size === 0) continue;
      for (const exchange of connection.exchanges) this.#watchBody(exchange, elapsed);
      this.#watchClient(connection, now);
    }
  }

  /** Time in which the reader held the body back does not count. */
  #watchBody(exchange: NodeExchange, elapsed: number): void {
    const rate = this.#limits.minRequestBodyDataRate;
    const body = exchange.nodeBody;
    if (rate === undefined || body?.awaitsClient !== true) return;
    body.waited += elapsed;
    if (body.waited <= rate.gracePeriod || body.received * 1000 >= rate.bytesPerSecond * body.waited) return;
    body.fail(bodyTooSlow());
  }

  #watchClient(connection: NodeConnection, now: number): void {
    const { socket } = connection;
    const pending = socket.writableLength;
    const flushed = socket.bytesWritten - pending;
    const moved = flushed !== connection.flushed || connection.idleSince === undefined;
    connection.flushed = flushed;
    if (moved) connection.idleSince = now;
    const rate = this.#limits.minResponseDataRate;
    if (pending === 0) connection.flushDeadline = Infinity;
    else if (rate !== undefined && (moved || connection.flushDeadline === Infinity)) {
      connection.flushDeadline = now + rate.gracePeriod + (pending * 1000) / rate.bytesPerSecond;
    }
    if (now > connection.flushDeadline) connection.cut();
    else if (connection.halfClosed && pending === 0 && now - (connection.idleSince ?? now) > this.#limits.halfClosedTimeout) {
      connection.cut();
    }
  }
}

/** A tick that is fine enough for the shortest of the times and never more often than every 10 ms. */
export function coarse(...times: readonly (number | undefined)[]): number {
  const shortest = Math.min(2000, ...times.filter((time) => time !== undefined));
  return Math.max(10, Math.floor(shortest / 2));
}
