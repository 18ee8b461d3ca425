import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { LentConnection } from "./lent-connection.ts";
import type { Adopt } from "./lender.ts";

/**
 * A server of `node:http`. A sticky connection is its own from the first byte on; one that goes back after each response is
 * shown to it as a stream of one request, since its parser would read the next one as well.
 */
export function adoptIntoHttpServer(server: Server): Adopt {
  const watched = new WeakSet<LentConnection>();
  const watch = (request: IncomingMessage, response: ServerResponse): void => {
    const connection: unknown = request.socket;
    if (!(connection instanceof LentConnection) || watched.has(connection)) return;
    watched.add(connection);
    // `finish`: the system has all of the response.
    response.once("finish", () => {
      if (response.shouldKeepAlive) connection.giveBack(request.complete);
    });
  };
  server.prependListener("request", watch);
  server.prependListener("checkContinue", (request, response) => {
    watch(request, response);
    // Asking to be told of these means to answer them, unless somebody else does.
    if (server.listenerCount("checkContinue") > 1) return;
    response.writeContinue();
    server.emit("request", request, response);
  });
  return (socket, { head, rest, bodyLength }, giveBack) => {
    const becomesOther = server.listenerCount("upgrade") > 0 && /\r\nupgrade:/i.test(head.toString("latin1"));
    if (giveBack === undefined || becomesOther) {
      socket.unshift(rest.length === 0 ? head : Buffer.concat([head, rest]));
      server.emit("connection", socket);
    } else {
      server.emit("connection", new LentConnection(socket, { head, rest, bodyLength }, giveBack));
    }
  };
}
