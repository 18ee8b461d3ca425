import type { Socket } from "node:net";
import { ConnectionBudget } from "../../connection-budget.ts";
import type { ConnectionInfo, TlsInfo } from "../../exchange.ts";
import type { FrontServerOptions } from "../../front-server.ts";
import { TimerWheel } from "../timer-wheel.ts";
import { defaultServerLimits, type ServerLimits } from "../../server-limits.ts";
import type { ProxiedAddresses } from "../../proxy-protocol/proxy-header.ts";
import { connectionInfo } from "../../node/connection-info.ts";
import { Http2Connection } from "./connection.ts";
import type { Http2Context } from "./http2-context.ts";
import { readBuffers } from "../read-buffers.ts";

export interface Http2SessionsOptions extends FrontServerOptions {
  /** Milliseconds between two looks at the deadlines of all connections. Default 250. */
  readonly timerInterval?: number | undefined;
  /** Reads cleartext connections into one piece of memory, as the engine's server does. Default true. */
  readonly reuseReadMemory?: boolean | undefined;
}

/** The HTTP/2 connections of a front server, whoever accepted them. */
export class Http2Sessions {
  readonly #context: Http2Context;
  readonly #connections = new Set<Http2Connection>();
  #emptied: (() => void) | undefined;
  #closing = false;

  constructor(options: Http2SessionsOptions, scheme: "http" | "https") {
    const limits: ServerLimits = { ...defaultServerLimits, ...options.limits };
    const budget = options.budget ?? new ConnectionBudget();
    this.#context = {
      handler: options.handler,
      limits,
      scheme,
      wheel: new TimerWheel({ now: options.now, interval: options.timerInterval }),
      onFault: options.onFault ?? (() => undefined),
      budget,
      readMemory: options.reuseReadMemory === false ? undefined : readBuffers.shared,
      connectionClosed: (connection) => {
        if (this.#connections.delete(connection)) budget.freeOpen();
        if (this.#connections.size === 0) this.#emptied?.();
      },
    };
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Serves `socket`, whose TLS handshake is over; `proxied`: what a proxy in front says of it. */
  adopt(socket: Socket, tls: TlsInfo | undefined, proxied?: ProxiedAddresses | undefined): void {
    const { limits, budget } = this.#context;
    if (this.#closing || budget.open >= (limits.maxConcurrentConnections ?? Infinity)) {
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    const info: ConnectionInfo = { ...connectionInfo(socket), ...proxied, tls };
    this.#connections.add(new Http2Connection(this.#context, socket, info));
    budget.takeOpen();
  }

  async close(gracePeriod: number): Promise<void> {
    this.#closing = true;
    if (this.#connections.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#connections) connection.serverCloses();
    const cut = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, gracePeriod);
    await emptied;
    clearTimeout(cut);
  }
}
