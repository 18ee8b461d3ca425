/** The front server on `node:http2`, whose frames are nghttp2's. */
import { describe } from "vitest";
import { front } from "./front.ts";
import { wireBehaviour } from "./wire-behaviour.ts";
import { wireFuzz } from "./wire-fuzz.ts";
import { type Deviation, wireRules } from "./wire-suite.ts";

/** Fields that are no HTTP never reach a handler, but the rest of the request does. */
const leftOut: Deviation = { outcome: "status 200", reason: "nghttp2 leaves the field out" };
const internal = (reason: string): Deviation => ({ outcome: "connection INTERNAL_ERROR", reason });
const tooLong = internal("Node ends the connection, not the stream");
const lower: Deviation = { outcome: "goes on", reason: "nghttp2 takes the stream for one that was closed" };

const deviations: ReadonlyMap<string, Deviation> = new Map([
  ["3.4 a preface with other characters", internal("Node knows one code for what nghttp2 will not read")],
  ["3.4 a request of HTTP/1.1 instead of the preface", internal("Node knows one code for what nghttp2 will not read")],
  ["5.1.1 a request on a stream below one used before", lower],
  ["6.3 PRIORITY on stream 0", { outcome: "goes on", reason: "nghttp2 does not look at PRIORITY" }],
  ["6.7 an answer to no PING", internal("Node minds it")],
  ["8.1 a line feed in trailers", leftOut],
  ["8.1.1 a body longer than its length", tooLong],
  ["8.1.1 a body in parts that are longer than its length", tooLong],
  ["8.1.1 a body with a length of 0", tooLong],
  ...[
    "an empty name", "a name with a space", "a name with a colon", "a name that ends with a colon", "a name with a line feed", "a name with CR LF",
    "a name with NUL", "a name with DEL", "a name with an octet above 0x7F", "a value with NUL", "a value with CR", "a value with LF",
    "a value with CR LF and a field", "a value that begins with a space", "a value that ends with a space", "a value that begins with a tab",
    "a value that ends with a tab", "a value that ends with a line feed",
  ].map((name): [string, Deviation] => [`8.2.1 ${name}`, leftOut]),
]);

const guard = "without a count of frames, what is dropped unread looks like a flood";
const borne: ReadonlyMap<string, string> = new Map([
  ["of the connection get back what nobody will read of answered and given up requests", guard],
  ["of the connection get back what nobody will read of tunnels", guard],
]);

describe("an HTTP/2 server", () => {
  wireRules(front, deviations);
  wireBehaviour(front, borne);
  wireFuzz(front, 250);
});
