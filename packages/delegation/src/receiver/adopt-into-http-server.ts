import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { restartHandle } from "@proxy/http";
import type { HandOver } from "../unix/frames.ts";
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
  return (socket, first, lender) => {
    const serve = (handOver: HandOver): void => {
      const { head, rest, mode } = handOver;
      const becomesOther = server.listenerCount("upgrade") > 0 && /\r\nupgrade:/i.test(head.toString("latin1"));
      if (lender !== undefined && mode === "perRequest" && !becomesOther) {
        server.emit("connection", new LentConnection(socket, handOver, lender));
        return;
      }
      lender?.keeps();
      socket.unshift(rest.length === 0 ? head : Buffer.concat([head, rest]));
      server.emit("connection", socket);
      // It was paused when it went back before.
      if (socket.isPaused()) socket.resume();
    };
    serve(first);
    return {
      resume(handOver) {
        restartHandle(socket);
        serve(handOver);
      },
    };
  };
}
