import type { ConnectionBudget } from "../../connection-budget.ts";
import type { ExchangeHandler } from "../../exchange.ts";
import type { ServerLimits } from "../../server-limits.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { Connection } from "./connection.ts";
import type { RequestParser } from "./request-parser.ts";

/** What the connections of one server share. */
export interface ServerContext {
  readonly handler: ExchangeHandler;
  readonly limits: ServerLimits;
  readonly wheel: TimerWheel;
  readonly parser: RequestParser;
  readonly onFault: (error: Error, connectionId: number) => void;
  /** Perhaps shared with other servers. */
  readonly budget: ConnectionBudget;
  /** The server is shutting down: answers carry Connection: close. */
  closing: boolean;
  connectionClosed(connection: Connection): void;
}
