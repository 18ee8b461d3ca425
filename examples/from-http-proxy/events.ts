import { createServer } from "node:http";
import { forwardNode, forwardNodeUpgrade, type ForwardNodeOptions } from "@proxy/forwarder";
import type { HttpClient } from "@proxy/http";
import { createTransformer } from "@proxy/pipeline";

/** Each event of http-proxy, and where its code goes. */
export function createObservedServer(target: string, client: HttpClient, log: (line: string) => void) {
  const options: ForwardNodeOptions = {
    transformer: createTransformer([], {
      // proxyReq and proxyReqWs: before the request is sent; answering on exchange.response sends nothing
      request(exchange, outgoing) {
        outgoing.headers.set("X-Request-Id", exchange.features.upgrade === undefined ? "request" : "upgrade");
      },
      // proxyRes: before the response is passed on; without `destination` it is an answer of the proxy itself
      response(_exchange, response, destination) {
        if (destination !== undefined) response.headers.set("X-Seen", String(destination.status));
      },
    }),
    // open and close of WebSockets
    onWebSocketClosed: ({ closeReason, messagesRead, messagesWritten }) => log(`closed ${closeReason} ${messagesRead} ${messagesWritten}`),
  };
  const server = createServer(async (req, res) => {
    // start
    const error = await forwardNode(req, res, target, client, options);
    // end, or error and econnreset: the client has had its answer
    log(error === undefined ? "end" : `${error.code} ${error.source} ${error.status ?? "-"}`);
  });
  return server.on("upgrade", async (req, socket, head) => {
    const error = await forwardNodeUpgrade(req, { socket, head }, target, client, options);
    if (error !== undefined) log(`upgrade ${error.code}`);
  });
}

/** A page of one's own in the place of the empty 502: what the error event's handler wrote to `res`. */
export const withErrorPage = createTransformer([], {
  response(exchange, response, destination) {
    if (destination !== undefined) return;
    exchange.response.send({ status: response.status, headers: response.headers }, "the API is not there\n");
  },
});
