// @boundaries-ignore the contract that all servers keep
import { describeExchangeContract } from "../../http/test/contract/exchange-contract.ts";
import { describe } from "vitest";
import { createHttpSysServer } from "../src/index.ts";
import { double, freePort, missing } from "./double.ts";

const own = "HTTP.sys keeps this time itself, in seconds of its own; the double keeps none";
const headers = "HTTP.sys gives known headers by id: their spelling, place and repetition are not on its interface";
const refused = "HTTP.sys refuses it before anybody sees it; here that would test the double";

const refusedByHttpSys = [
  "no Host", "two Hosts", "two Hosts in HTTP/1.0", "a space in the target", "CONNECT", "the authority form for a GET", "no version",
  "a version of two digits", "HTTP/2.0 in the request line", "a space before the colon", "a folded line", "a bare CR in a value", "NUL in a value",
  "a delimiter in a name", "a line without a colon", "a method with a delimiter", "both lengths", "two lengths", "two equal lengths",
  "a length list", "a signed length", "an empty length", "a coding before chunked", "an unknown coding", "chunked twice",
  "Transfer-Encoding in HTTP/1.0", "too many header bytes",
];

const skip: Readonly<Record<string, string>> = {
  ...Object.fromEntries(refusedByHttpSys.map((title) => [title, refused])),
  "is presented as it stood on the wire": headers,
  "keeps its lines in order, case and repetition": "HTTP.sys writes known headers by id, in an order of its own",
  "in chunks arrives whole, with its trailers": "HTTP.sys does not give trailers of requests",
  "is the same wherever its bytes are cut": "HTTP.sys does not give trailers of requests",
  "with a broken chunk is an error to its reader, refused with 400": "HTTP.sys reads chunks, and breaks the connection itself",
  "slower than the minimum rate is refused with 408": own,
  "whose client half-closed and then waits in vain counts as gone after a while": own,
  "that sends nothing is closed after the head timeout": own,
  "that sends half a head gets 408 after the head timeout": own,
  "that idles after a request is closed without a word after the keep-alive timeout": own,
  "of a slow reader is reset below the minimum rate": own,
  "may be preceded by informational ones": "HTTP.sys has no call for interim responses",
  "passes on a half-close of the server and still reads from the client": "HTTP.sys ends a connection as a whole",
};

describe.skipIf(missing !== undefined)(missing ?? "through the double", () => {
  describeExchangeContract("HTTP.sys server", {
    skip,
    async start(handler, limits) {
      const faults: Error[] = [];
      const server = createHttpSysServer({ handler, limits, library: await double(), onFault: (error) => faults.push(error) });
      const port = await freePort();
      await server.listen({ host: "127.0.0.1", port });
      return {
        port,
        faults,
        get connectionCount() {
          return server.connectionCount;
        },
        close: (gracePeriod) => server.close(gracePeriod),
      };
    },
  });
});
