import type { AddressInfo } from "node:net";
import type { ConnectionBudget } from "./connection-budget.ts";
import type { ExchangeHandler } from "./exchange.ts";
import type { ProxyProtocolOptions } from "./proxy-protocol/proxy-protocol-gate.ts";
import type { ServerLimits } from "./server-limits.ts";

/** A server that presents requests as exchanges. Made by `createNodeServer`, `createEngineServer`, … */
export interface FrontServer {
  /** Starts to accept; resolves once it does, rejects when the address cannot be had. Port 0 picks a free one. */
  listen(at: ListenAddress): Promise<AddressInfo>;
  /** Connections open now. */
  readonly connectionCount: number;
  /**
   * Stops accepting, closes idle connections, lets requests under way finish (answered with Connection: close)
   * and resolves when no connection is left. What is still open after `gracePeriod` milliseconds is cut.
   */
  close(gracePeriod?: number): Promise<void>;
}

export interface ListenAddress {
  /** An IP address or host name; undefined: all interfaces. */
  readonly host?: string | undefined;
  readonly port: number;
}

export interface FrontServerOptions {
  readonly handler: ExchangeHandler;
  /** What is not given has the default of `defaultServerLimits`. */
  readonly limits?: Partial<ServerLimits> | undefined;
  /**
   * Counts for `maxConcurrentConnections` and `maxConcurrentUpgradedConnections`: servers given the same one are limited
   * together. Default: one of its own, so that the limits hold for this server alone.
   */
  readonly budget?: ConnectionBudget | undefined;
  /**
   * Told of faults that no exchange can report: a malformed request (after it was answered), a socket error, an
   * error thrown by the handler. For logs. Must not throw.
   */
  readonly onFault?: ((error: Error, connectionId: number) => void) | undefined;
  /**
   * Connections begin with a PROXY header (version 1 or 2), before TLS: the addresses of the connection are those that it says.
   * Default: they do not.
   */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined;
  /** Milliseconds, monotonic. Injected by tests. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}
