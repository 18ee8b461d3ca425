import type { Socket } from "node:net";
import { createHttp2Server } from "../../src/index.ts";
import { describeExchangeContract } from "../contract/exchange-contract.ts";
import { RawClient } from "../contract/raw-client.ts";
import { Http1OverHttp2 } from "./http1-over-http2.ts";

describeExchangeContract("the exchange contract over HTTP/2", {
  async start(handler, limits) {
    const faults: Error[] = [];
    const server = createHttp2Server({ handler, limits, timerInterval: 20, onFault: (error) => faults.push(error) });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return {
      port,
      faults,
      get connectionCount() {
        return server.connectionCount;
      },
      async close(gracePeriod) {
        // A client that leaves in the moment of the GOAWAY is noticed only when the time for its answer is over.
        for (let i = 0; i < 8 && server.connectionCount > 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
        await server.close(gracePeriod);
      },
    };
  },
  async open(port) {
    return RawClient.over((await Http1OverHttp2.open(port)) as unknown as Socket);
  },
  skip: {
    ...because("names are lower case, Host comes first, and there is no reason phrase: exchanges-over-http2", [
      "is presented as it stood on the wire",
      "in chunks arrives whole, with its trailers",
      "is the same wherever its bytes are cut",
      "keeps its lines in order, case and repetition",
      "carries trailers in chunks",
      "drops fields that may not be trailers",
      "may be preceded by informational ones",
    ]),
    ...because("there is no HTTP/1.0", [
      "of HTTP/1.0 may lack Host",
      "of HTTP/1.0 gets no 100",
      "drops trailers where they cannot stand",
      "to HTTP/1.0 has no informational ones and no chunks, and ends with the connection",
      "is closed after the answer to HTTP/1.0 that did not ask to keep it",
      "is offered only when the client asks for it",
    ]),
    ...because("says GOAWAY, or ends one stream, instead of Connection: close", [
      "longer than the limit by its Content-Length is refused with 413",
      "that grows beyond the limit in chunks is refused with 413",
      "slower than the minimum rate is refused with 408",
      "is closed after the answer when the client asks for it",
      "is closed after the most requests that one may carry",
      "closes gracefully: requests under way are answered, idle connections and new ones are not kept",
    ]),
    "of an absolute target takes its authority from there, and Host follows it": "there are no absolute targets",
    "with a broken chunk is an error to its reader, refused with 400": "there are no chunks",
    "is not offered to what concerns one hop only, nor with a body": "such fields are no requests: exchanges-over-http2",
    "is held back by a client that does not read": "its marker is malformed HTTP/1.1: exchanges-over-http2",
    "whose client half-closed and then waits in vain counts as gone after a while": "a FIN ends a connection at once: cut-connections",
    "that sends half a head gets 408 after the head timeout": "the client of this suite sends whole heads only",
    "by a reset after any byte of a request leaves nothing behind": "the client of this suite sends whole heads only",
    "beyond the most that may be open is closed at once": "is closed before its SETTINGS, which the client of this suite waits for",
    "passes on a half-close of the server and still reads from the client": "Node's client ends its side too: cut-connections",
    "declined is an ordinary answer": "a 2xx to an extended CONNECT is a tunnel: exchanges-over-http2",
  },
  skipParts: {
    "refused with its status and the connection closed:": "the grammar of HTTP/1.1; that of HTTP/2 is in exchanges-over-http2",
  },
});

function because(reason: string, titles: readonly string[]): Record<string, string> {
  return Object.fromEntries(titles.map((title) => [title, reason]));
}
