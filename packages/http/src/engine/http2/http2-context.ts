import type { ConnectionBudget } from "../../connection-budget.ts";
import type { ExchangeHandler } from "../../exchange.ts";
import type { ServerLimits } from "../../server-limits.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { Http2Connection } from "./connection.ts";

/** What the HTTP/2 connections of one server share. */
export interface Http2Context {
  readonly handler: ExchangeHandler;
  readonly limits: ServerLimits;
  readonly scheme: "http" | "https";
  readonly wheel: TimerWheel;
  readonly onFault: (error: Error, connectionId: number) => void;
  /** Perhaps shared with other servers. */
  readonly budget: ConnectionBudget;
  /** What cleartext connections are read into; undefined: the "data" event. */
  readonly readMemory: Buffer | undefined;
  connectionClosed(connection: Http2Connection): void;
}
