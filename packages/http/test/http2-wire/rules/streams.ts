/** RFC 9113, section 5. */
import { block, continuation, data, frame, open, priority, request, reset, whole, windowUpdate } from "../frames-to-send.ts";
import { goesOn, type Rule } from "../rule.ts";
import type { WireClient } from "../wire-client.ts";
import { until } from "../../contract/recorders.ts";

const protocol = ["connection PROTOCOL_ERROR"];
const streamClosed = ["stream STREAM_CLOSED", "connection STREAM_CLOSED"];
/** RFC 9113, 5.1, leaves to the server whether it minds frames on a stream that is closed. */
const minded = [...streamClosed, goesOn];

/** A request whose answer is not yet there: half-closed for the client. */
function hanging(after: Buffer): Rule["send"] {
  return (client) => client.send(whole(1, request("/hang")), after);
}

/** A request that is over on both sides. */
function over(after: Buffer): Rule["send"] {
  return async (client) => {
    await client.get(1);
    client.send(after);
  };
}

/** A request that the client gave up. */
function givenUp(after: Buffer): Rule["send"] {
  return (client) => client.send(open(1, request("/hang", [], "POST")), reset(1), after);
}

async function untilClosedBy(client: WireClient): Promise<void> {
  await until(() => client.outcome(1) !== undefined || client.ending !== undefined);
}

export const streams: readonly Rule[] = [
  { name: "5.1 DATA on an idle stream", send: (client) => client.send(data(1, "x")), allowed: protocol },
  { name: "5.1 RST_STREAM on an idle stream", send: (client) => client.send(reset(1)), allowed: protocol },
  { name: "5.1 WINDOW_UPDATE on an idle stream", send: (client) => client.send(windowUpdate(1, 100)), allowed: protocol },
  { name: "5.1 CONTINUATION on an idle stream", send: (client) => client.send(continuation(1, block(request("/refused")))), allowed: protocol },
  { name: "5.1 PRIORITY on an idle stream", send: (client) => client.send(priority(1, 0)), allowed: [goesOn] },
  { name: "5.1 WINDOW_UPDATE on a stream that the server would open", send: (client) => client.send(windowUpdate(2, 100)), allowed: protocol },
  { name: "5.1 RST_STREAM on a stream that the server would open", send: (client) => client.send(reset(2)), allowed: protocol },

  { name: "5.1 half-closed: DATA", send: hanging(data(1, "x")), allowed: streamClosed },
  { name: "5.1 half-closed: HEADERS", send: hanging(whole(1, request("/refused"))), allowed: streamClosed },
  { name: "5.1 half-closed: CONTINUATION", send: hanging(continuation(1, block([["x-a", "b"]]))), allowed: [...protocol, ...streamClosed] },
  { name: "5.1 half-closed: PRIORITY", send: hanging(priority(1, 0)), allowed: [goesOn] },
  { name: "5.1 half-closed: WINDOW_UPDATE", send: hanging(windowUpdate(1, 10)), allowed: [goesOn] },
  { name: "5.1 half-closed: RST_STREAM", send: hanging(reset(1)), allowed: [goesOn] },

  { name: "5.1 closed by the client's reset: DATA", send: givenUp(data(1, "x")), allowed: minded },
  { name: "5.1 closed by the client's reset: HEADERS", send: givenUp(whole(1, request("/refused"))), allowed: [...minded, ...protocol] },
  { name: "5.1 closed by the client's reset: CONTINUATION", send: givenUp(continuation(1, block([["x-a", "b"]]))), allowed: [...protocol, ...streamClosed] },
  { name: "5.1 closed by the client's reset: PRIORITY", send: givenUp(priority(1, 0)), allowed: [goesOn] },
  { name: "5.1 closed by the client's reset: RST_STREAM again", send: givenUp(reset(1)), allowed: [goesOn, ...streamClosed] },
  { name: "5.1 closed: DATA", send: over(data(1, "x")), allowed: [...streamClosed, "status 200"] },
  { name: "5.1 closed: HEADERS", send: over(whole(1, request("/refused"))), allowed: [...streamClosed, ...protocol, "status 200"] },
  { name: "5.1 closed: CONTINUATION", send: over(continuation(1, block([["x-a", "b"]]))), allowed: [...protocol, ...streamClosed] },
  { name: "5.1 closed: PRIORITY", send: over(priority(1, 0)), allowed: ["status 200"] },
  { name: "5.1 closed: WINDOW_UPDATE on its way", send: over(windowUpdate(1, 10)), allowed: ["status 200"] },
  { name: "5.1 closed: RST_STREAM on its way", send: over(reset(1)), allowed: ["status 200"] },
  {
    name: "5.1 closed by the server's reset: DATA and trailers on their way",
    async send(client) {
      client.send(open(1, request("/refused", [["x-A", "b"]], "POST")));
      await untilClosedBy(client);
      client.send(data(1, "x"), frame(1, 5, 1, block([["x-a", "b"]])), windowUpdate(1, 1), reset(1));
    },
    allowed: ["stream PROTOCOL_ERROR", "status 400"],
  },

  { name: "5.1.1 a request on stream 0", send: (client) => client.send(whole(0, request("/refused"))), allowed: protocol },
  { name: "5.1.1 a request on an even stream", send: (client) => client.send(whole(2, request("/refused"))), allowed: protocol },
  { name: "5.1.1 a request on a stream below one used before", send: (client) => client.send(whole(5, request("/")), whole(3, request("/refused"))), stream: 3, allowed: [...protocol, "connection STREAM_CLOSED"] },
  { name: "5.1.1 a stream below one used before is closed and not idle", send: (client) => client.send(whole(5, request("/")), windowUpdate(3, 1)), stream: 5, allowed: ["status 200", ...protocol] },
  {
    name: "5.1.2 more requests at once than allowed",
    async send(client) {
      await client.alive();
      const maximum = client.announced.get(3) ?? 100;
      client.send(...Array.from({ length: maximum }, (_none, i) => whole(1 + 2 * i, request("/hang"))), whole(1 + 2 * maximum, request("/refused")));
      await until(() => client.outcome(1 + 2 * maximum) !== undefined || client.ending !== undefined);
      if (client.ending === undefined) client.send(...Array.from({ length: maximum }, (_none, i) => reset(1 + 2 * i)));
    },
    stream: 201,
    allowed: ["stream REFUSED_STREAM", ...protocol],
  },
  { name: "5.3 a stream that depends on itself, in HEADERS", send: (client) => client.send(frame(1, 0x25, 1, Buffer.concat([Buffer.from("000000010f", "hex"), block(request("/"))]))), allowed: ["status 200", "stream PROTOCOL_ERROR", ...protocol] },
  { name: "5.3 a stream that depends on itself, in PRIORITY", send: (client) => client.send(priority(1, 1)), allowed: [goesOn, "stream PROTOCOL_ERROR", ...protocol] },
];
