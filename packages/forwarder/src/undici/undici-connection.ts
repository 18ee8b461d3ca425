import type { Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher } from "undici";
import { UndiciCall } from "./undici-call.ts";

/** How the socket that a connection has now failed, if it did. */
export interface ConnectionFailure {
  socket: Socket | null;
  error: Error | undefined;
}

/**
 * One connection of a pool. undici takes a reset for the end of a body that has neither length nor chunks
 * (RFC 9112, 8: it is incomplete then); so each call is told where to look before it believes an end.
 */
class UndiciConnection extends Client {
  readonly #failure: ConnectionFailure;

  constructor(origin: URL, options: Client.Options, failure: ConnectionFailure) {
    super(origin, options);
    this.#failure = failure;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof UndiciCall) handler.connection = this.#failure;
    return super.dispatch(options, handler);
  }
}

/** Makes the connections of a `Pool`. */
export function connectionOf(origin: URL, options: object): Client {
  const given = options as Client.Options & { readonly connect: buildConnector.connector };
  const failure: ConnectionFailure = { socket: null, error: undefined };
  const connect: buildConnector.connector = (target, callback) => {
    given.connect(target, (...result) => {
      const [, socket] = result;
      failure.socket = socket;
      failure.error = undefined;
      // Before undici's own listener, which may end the response. An earlier socket may fail late.
      socket?.once("error", (error) => {
        if (failure.socket === socket) failure.error = error;
      });
      callback(...result);
    });
  };
  return new UndiciConnection(origin, { ...given, connect }, failure);
}
