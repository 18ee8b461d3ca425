import { BadRequestError, ExchangeStateError } from "../../errors.ts";
import type { ResponseHead } from "../../exchange.ts";
import { dateLine } from "./date-line.ts";
import { ResponseFieldWriter } from "./response-fields.ts";
import type { ServerContext } from "./server-context.ts";
import { statusLine } from "./status-line.ts";

const fields = new ResponseFieldWriter();

/** The answer that accepts an upgrade (RFC 9110, 15.2.2). Throws an `ExchangeStateError` for a head that is none. */
export function switchingProtocols(head: ResponseHead): string {
  if (head.status !== 101) throw new ExchangeStateError(`${head.status} is no answer to an upgrade`);
  const text = `${statusLine(101, head.reason)}${fields.write(head.headers, false)}`;
  return `${text}${fields.hasDate ? "" : dateLine()}Connection: Upgrade\r\n\r\n`;
}

/** Whether there are as many upgraded connections as there may be. */
export function upgradesExhausted({ limits, budget }: ServerContext): boolean {
  const { maxConcurrentUpgradedConnections } = limits;
  return maxConcurrentUpgradedConnections !== undefined && budget.upgraded >= maxConcurrentUpgradedConnections;
}

export function tooManyUpgraded(): BadRequestError {
  return new BadRequestError(503, "TOO_MANY_UPGRADED", "there are too many upgraded connections");
}
