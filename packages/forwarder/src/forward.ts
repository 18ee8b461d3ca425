import type { Exchange, HttpClient } from "@proxy/http";
import { type Destination, destinationOf } from "./destination.ts";
import type { ForwardOptions, ForwardWithOptions } from "./forward-options.ts";
import type { ForwarderError } from "./forwarder-error.ts";
import { Forwarding } from "./forwarding.ts";
import type { ForwardDone } from "./forwarding-state.ts";

/**
 * Sends one exchange to one destination and its response back. Resolves with undefined once the response is handed
 * to the client's server (or a transform answered), or with the error that the client was answered for; network
 * trouble never rejects. Rejects for programmer's errors: a bad address (TypeError), an exchange that is answered
 * already (`ExchangeStateError`), a response transform that throws while a failure is being answered.
 *
 * `destination` is best prepared once with `prepareDestination`.
 */
export function forward(
  exchange: Exchange,
  destination: string | Destination,
  client: HttpClient,
  options?: ForwardOptions,
): Promise<ForwarderError | undefined> {
  return new Promise((resolve, reject) => {
    const to = typeof destination === "string" ? destinationOf(destination) : destination;
    forwardWith(exchange, to, { ...options, client }, (error, fault) => {
      if (fault === undefined) resolve(error);
      else reject(fault instanceof Error ? fault : new Error("a response transform failed", { cause: fault }));
    });
  });
}

/**
 * `forward` without a promise, for the hottest paths: `done` is called once, perhaps before this returns. Throws
 * an `ExchangeStateError` when the exchange is answered already.
 */
export function forwardWith(
  exchange: Exchange,
  destination: Destination,
  options: ForwardWithOptions,
  done: ForwardDone,
): void {
  new Forwarding(exchange, destination, options, done).start();
}
