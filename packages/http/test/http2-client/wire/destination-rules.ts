/** What a destination may not send (RFC 9113), each with what becomes of it. */
import { errorCode, frameFlag, frameType, settingId } from "../../../src/engine/http2/frames.ts";
import { block, continuation, data, type Fields, frame, goaway, numbers, open, ping, priority, reset, settings, whole, windowUpdate } from "../../http2-wire/frames-to-send.ts";

/** `stream X`: RST_STREAM with that code, and nothing else is touched. `connection X`: GOAWAY with it, and the end. `200 body`: an answer. */
export type RuleOutcome = string;

export interface DestinationRule {
  readonly name: string;
  /** What comes after the requests on streams 1 and 3; the rule is about stream 1. */
  readonly bytes: readonly Buffer[];
  readonly outcome: RuleOutcome;
  /** At which step the request of stream 1 fails. */
  readonly step?: string | undefined;
  readonly method?: string | undefined;
  /** Nobody reads the response. */
  readonly paused?: boolean | undefined;
}

const { endStream, endHeaders } = frameFlag;
const protocol = "connection PROTOCOL_ERROR";
const frameSize = "connection FRAME_SIZE_ERROR";
const malformed = "stream PROTOCOL_ERROR";
const ok: Fields = [[":status", "200"]];
const head = open(1, ok);

const badHead = (name: string, fields: Fields): DestinationRule => ({ name, bytes: [whole(1, fields)], outcome: malformed, step: "response-head" });
const badTrailers = (name: string, fields: Fields): DestinationRule => ({ name, bytes: [head, data(1, "x"), whole(1, fields)], outcome: malformed, step: "response-body" });
const badBlock = (name: string, hex: string): DestinationRule => ({
  name, bytes: [frame(frameType.headers, endStream | endHeaders, 1, Buffer.concat([block(ok), Buffer.from(hex, "hex")]))],
  outcome: "connection COMPRESSION_ERROR", step: "request",
});
/** What must not stand between HEADERS without END_HEADERS and its CONTINUATION. */
const within = (name: string, inserted: Buffer): DestinationRule => ({
  name, bytes: [frame(frameType.headers, endStream, 1, block(ok).subarray(0, 3)), inserted, continuation(1, block(ok).subarray(3))], outcome: protocol, step: "request",
});
const broken = (name: string, outcome: RuleOutcome, ...bytes: readonly Buffer[]): DestinationRule => ({ name, bytes, outcome, step: "request" });
const fine = (name: string, outcome: RuleOutcome, ...bytes: readonly Buffer[]): DestinationRule => ({ name, bytes, outcome });
const answer = Buffer.concat([head, data(1, "ok", true)]);

export const destinationRules: readonly DestinationRule[] = [
  // 4: frames
  broken("4.2 DATA of 16385 octets", frameSize, data(1, Buffer.alloc(16_385))),
  broken("4.2 SETTINGS of 16386 octets", frameSize, frame(frameType.settings, 0, 0, Buffer.alloc(16_386))),
  fine("4.1 a frame of an unknown type", "200 ok", frame(0x16, 0xff, 0, Buffer.alloc(8)), answer),
  fine("4.1 ALTSVC and ORIGIN", "200 ok", frame(0xa, 0, 0, Buffer.alloc(8)), frame(0xc, 0, 0, Buffer.alloc(8)), answer),
  fine("4.1 flags that PING does not have", "200 ok", frame(frameType.ping, 0xfe, 0, Buffer.alloc(8)), answer),
  fine("4.2 DATA of 16384 octets", `200 ${"a".repeat(16_384)}`, head, data(1, "a".repeat(16_384), true)),
  badBlock("4.3 index 0", "80"),
  badBlock("4.3 an index beyond the table", "be"),
  badBlock("4.3 an integer that never ends", "ffffffffffffffffffffff01"),
  badBlock("4.3 a block that is cut off", "0001"),
  badBlock("4.3 EOS within a string", "00016184ffffffff"),
  badBlock("4.3 a table size behind a field", "20"),
  broken("4.3 a table size beyond the settings", "connection COMPRESSION_ERROR", frame(frameType.headers, 5, 1, Buffer.concat([Buffer.from("3fe2ff7f", "hex"), block(ok)]))),
  within("4.3 PING within a header block", ping()),
  within("4.3 DATA within a header block", data(1, "x")),
  within("4.3 a head of another stream within a header block", whole(3, ok)),
  within("4.3 CONTINUATION of another stream within a header block", continuation(3, block(ok))),
  within("5.5 an unknown frame within a header block", frame(0x20, 0, 1)),
  fine("4.3 a head in pieces, one of them empty", "200 ok", frame(frameType.headers, 0, 1, block(ok).subarray(0, 2)), continuation(1, Buffer.alloc(0), false), continuation(1, block(ok).subarray(2)), data(1, "ok", true)),

  // 5: streams
  broken("5.1 a response on an idle stream", protocol, whole(5, ok)),
  broken("5.1 DATA on an idle stream", protocol, data(5, "x")),
  broken("5.1 RST_STREAM of an idle stream", protocol, reset(5)),
  broken("5.1 WINDOW_UPDATE of an idle stream", protocol, windowUpdate(5, 1)),
  broken("5.1.1 a stream that the destination opens", protocol, whole(2, ok)),
  broken("5.1.1 DATA on a stream of the destination", protocol, data(2, "x")),
  { name: "5.1 DATA behind the end of a response", bytes: [answer, data(1, "x")], outcome: "connection STREAM_CLOSED after 200 ok" },
  { name: "5.1 a second head behind the end of a response", bytes: [answer, whole(1, ok)], outcome: "connection STREAM_CLOSED after 200 ok" },
  fine("5.1 WINDOW_UPDATE, RST_STREAM and PRIORITY behind the end of a response", "200 ok", answer, windowUpdate(1, 5), reset(1, 0), priority(1, 0)),
  broken("5.3 a stream that depends on itself", protocol, priority(1, 1)),
  { name: "5.3 a head whose stream depends on itself", bytes: [frame(frameType.headers, 0x25, 1, Buffer.concat([numbers(1), Buffer.from([0]), block(ok)]))], outcome: malformed, step: "response-head" },
  fine("5.3 a head with a priority", "200 ", frame(frameType.headers, 0x25, 1, Buffer.concat([numbers(3), Buffer.from([0]), block(ok)]))),

  // 6: each frame
  broken("6.1 DATA without a stream", protocol, data(0, "x")),
  { name: "6.1 padding as long as its frame", bytes: [head, frame(frameType.data, frameFlag.padded, 1, Buffer.from([4, 1, 1, 1]))], outcome: protocol, step: "response-body" },
  fine("6.1 padding, and nothing else", "200 ok", head, frame(frameType.data, frameFlag.padded, 1, Buffer.from([2, 0, 0])), frame(frameType.data, frameFlag.padded | endStream, 1, Buffer.concat([Buffer.from([3]), Buffer.from("ok"), Buffer.alloc(3)]))),
  broken("6.2 HEADERS without a stream", protocol, whole(0, ok)),
  broken("6.2 padding longer than a head", protocol, frame(frameType.headers, 0xd, 1, Buffer.concat([Buffer.from([200]), block(ok)]))),
  broken("6.4 RST_STREAM without a stream", protocol, reset(0)),
  broken("6.4 RST_STREAM of another size", frameSize, frame(frameType.rstStream, 0, 1, Buffer.alloc(3))),
  broken("6.5 SETTINGS on a stream", protocol, settings([], 1)),
  broken("6.5 SETTINGS of another size", frameSize, frame(frameType.settings, 0, 0, Buffer.alloc(5))),
  broken("6.5 SETTINGS with ACK and a payload", frameSize, frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(6))),
  broken("6.5.2 ENABLE_PUSH of 1 by a server", protocol, settings([[settingId.enablePush, 1]])),
  broken("6.5.2 ENABLE_PUSH of 2", protocol, settings([[settingId.enablePush, 2]])),
  fine("6.5.2 ENABLE_PUSH of 0", "200 ok", settings([[settingId.enablePush, 0]]), answer),
  broken("6.5.2 a window of more than 2^31 - 1", "connection FLOW_CONTROL_ERROR", settings([[settingId.initialWindowSize, 0x80000000]])),
  broken("6.5.2 frames of less than 16384", protocol, settings([[settingId.maxFrameSize, 16_383]])),
  fine("6.5.2 settings that nobody knows", "200 ok", settings([[0x99, 7]]), answer),
  broken("8441, 3 ENABLE_CONNECT_PROTOCOL of 2", protocol, settings([[settingId.enableConnectProtocol, 2]])),
  broken("8441, 3 ENABLE_CONNECT_PROTOCOL taken back", protocol, settings([[settingId.enableConnectProtocol, 1]]), settings([[settingId.enableConnectProtocol, 0]])),
  broken("6.6 a push, which was forbidden", protocol, frame(frameType.pushPromise, endHeaders, 1, Buffer.concat([numbers(2), block(ok)]))),
  broken("6.7 PING on a stream", protocol, frame(frameType.ping, 0, 1, Buffer.alloc(8))),
  broken("6.7 PING of another size", frameSize, frame(frameType.ping, 0, 0, Buffer.alloc(7))),
  broken("6.8 GOAWAY on a stream", protocol, frame(frameType.goaway, 0, 1, Buffer.alloc(8))),
  broken("6.8 GOAWAY that is too short", frameSize, frame(frameType.goaway, 0, 0, Buffer.alloc(7))),
  broken("6.9 WINDOW_UPDATE of nothing for the connection", protocol, windowUpdate(0, 0)),
  broken("6.9 WINDOW_UPDATE of another size", frameSize, frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))),
  broken("6.9.1 a window of the connection that overflows", "connection FLOW_CONTROL_ERROR", windowUpdate(0, 0x7fffffff)),
  { name: "6.9 WINDOW_UPDATE of nothing for a stream", bytes: [windowUpdate(1, 0)], outcome: malformed, step: "response-head" },
  { name: "6.9.1 a window of a stream that overflows", bytes: [windowUpdate(1, 0x7fffffff)], outcome: "stream FLOW_CONTROL_ERROR", step: "response-head" },
  { name: "6.9.1 more DATA than its stream may have", paused: true, bytes: [head, ...Array.from({ length: 17 }, () => data(1, Buffer.alloc(16_384)))], outcome: "stream FLOW_CONTROL_ERROR", step: "response-body" },
  broken("6.10 CONTINUATION without a header block", protocol, continuation(1, block(ok))),

  // 8: messages
  { name: "8.1 DATA before the head", bytes: [data(1, "x")], outcome: malformed, step: "response-head" },
  { name: "8.1 an end without a head", bytes: [data(1, "", true)], outcome: "stream PROTOCOL_ERROR or none", step: "response-head" },
  { name: "8.1 an interim response that ends its stream", bytes: [whole(1, [[":status", "103"]])], outcome: malformed, step: "response-head" },
  { name: "8.1 DATA between an interim response and the head", bytes: [open(1, [[":status", "103"]]), data(1, "x")], outcome: malformed, step: "response-head" },
  { name: "8.1 a second head", bytes: [head, open(1, ok)], outcome: malformed, step: "response-body" },
  { name: "8.1 trailers that do not end their stream", bytes: [head, open(1, [["x-a", "1"]])], outcome: malformed, step: "response-body" },
  badTrailers("8.1 a status among trailers", [[":status", "200"]]),
  badTrailers("8.1 a pseudo-field of a request among trailers", [[":path", "/"]]),
  badTrailers("6.5.1 a length among trailers", [["content-length", "1"]]),
  badTrailers("6.5.1 a host among trailers", [["host", "a.test"]]),
  badTrailers("8.2.2 Connection among trailers", [["connection", "close"]]),
  { name: "8.1.1 a body that is too short", bytes: [open(1, [...ok, ["content-length", "3"]]), data(1, "ok", true)], outcome: "stream PROTOCOL_ERROR or none", step: "response-body" },
  { name: "8.1.1 a body that is too short before trailers", bytes: [open(1, [...ok, ["content-length", "3"]]), data(1, "ok"), whole(1, [["x-a", "1"]])], outcome: "stream PROTOCOL_ERROR or none", step: "response-body" },
  { name: "8.1.1 a length, and no body", bytes: [whole(1, [...ok, ["content-length", "3"]])], outcome: malformed, step: "response-head" },
  { name: "8.1.1 a body that is too long", bytes: [open(1, [...ok, ["content-length", "1"]]), data(1, "ok")], outcome: malformed, step: "response-body" },
  { name: "8.1.1 a body of 204", bytes: [open(1, [[":status", "204"]]), data(1, "ok", true)], outcome: malformed, step: "response-body" },
  { name: "8.1.1 a body of 304", bytes: [open(1, [[":status", "304"], ["content-length", "2"]]), data(1, "ok", true)], outcome: malformed, step: "response-body" },
  { name: "8.1.1 a body for HEAD", method: "HEAD", bytes: [open(1, [...ok, ["content-length", "2"]]), data(1, "ok", true)], outcome: malformed, step: "response-body" },
  { name: "8.1.1 a length for HEAD", method: "HEAD", bytes: [whole(1, [...ok, ["content-length", "2"]])], outcome: "200 " },
  badHead("8.1.1 two lengths", [...ok, ["content-length", "2"], ["content-length", "2"]]),
  badHead("8.1.1 a length that is none", [...ok, ["content-length", "+2"]]),
  badHead("8.1.1 a length of two values", [...ok, ["content-length", "2, 2"]]),
  badHead("8.2.1 an upper-case name", [...ok, ["X-a", "1"]]),
  badHead("8.2.1 a name with a blank", [...ok, ["x a", "1"]]),
  badHead("8.2.1 a name with a colon", [...ok, ["x:a", "1"]]),
  badHead("8.2.1 a name with a control character", [...ok, ["x\x01a", "1"]]),
  badHead("8.2.1 a name beyond ASCII", [...ok, ["x\xe9", "1"]]),
  badHead("8.2.1 an empty name", [...ok, ["", "1"]]),
  badHead("8.2.1 a value with NUL", [...ok, ["x-a", "1\x002"]]),
  badHead("8.2.1 a value with CR and LF", [...ok, ["x-a", "1\r\nx-b: 2"]]),
  badHead("8.2.1 a value with a control character behind a blank", [...ok, ["x-a", " \x01"]]),
  badHead("8.2.2 Connection", [...ok, ["connection", "x-a"]]),
  badHead("8.2.2 Keep-Alive", [...ok, ["keep-alive", "timeout=5"]]),
  badHead("8.2.2 Proxy-Connection", [...ok, ["proxy-connection", "close"]]),
  badHead("8.2.2 Transfer-Encoding", [...ok, ["transfer-encoding", "chunked"]]),
  badHead("8.2.2 Upgrade", [...ok, ["upgrade", "h2c"]]),
  badHead("8.3 no status", [["x-a", "1"]]),
  badHead("8.3 two of them", [...ok, ...ok]),
  badHead("8.3 a status behind a field", [["x-a", "1"], ...ok]),
  badHead("8.3 a pseudo-field of requests", [...ok, [":path", "/"]]),
  badHead("8.3 a pseudo-field that nobody knows", [...ok, [":x", "1"]]),
  badHead("8.3.2 a status of two digits", [[":status", "20"]]),
  badHead("8.3.2 a status of four digits", [[":status", "2000"]]),
  badHead("8.3.2 a status with a blank", [[":status", "200 "]]),
  badHead("8.3.2 a status below 100", [[":status", "099"]]),
  badHead("8.6 101", [[":status", "101"]]),
  fine("8.2.1 bytes beyond ASCII in a value", "200 ", whole(1, [...ok, ["x-a", "caf\xe9"]])),

  // Floods
  broken("a flood of PING", "connection ENHANCE_YOUR_CALM", Buffer.concat(Array.from({ length: 11_000 }, () => ping()))),
  broken("a flood of SETTINGS", "connection ENHANCE_YOUR_CALM", Buffer.concat(Array.from({ length: 150 }, () => settings([])))),
  { name: "a flood of empty DATA", bytes: [head, Buffer.concat(Array.from({ length: 41_000 }, () => data(1, "")))], outcome: "connection ENHANCE_YOUR_CALM", step: "response-body" },
  broken("a flood of frames that nobody knows", "connection ENHANCE_YOUR_CALM", Buffer.concat(Array.from({ length: 41_000 }, () => frame(0x77, 0, 0)))),
  broken("a flood of CONTINUATION", "connection ENHANCE_YOUR_CALM", frame(frameType.headers, 0, 1, block(ok)), Buffer.concat(Array.from({ length: 60 }, () => continuation(1, block([["x-a", "1"]]), false)))),
  broken("a header block of half a megabyte", "connection ENHANCE_YOUR_CALM", frame(frameType.headers, 0, 1, block(ok)), Buffer.concat(Array.from({ length: 34 }, () => continuation(1, block([["x-a", "a".repeat(16_000)]]), false)))),
  {
    // An entry of 4000 bytes, and as many references to it as fit into a frame (RFC 7541 bomb).
    name: "a small block that stands for megabytes", outcome: "stream CANCEL", step: "response-head",
    bytes: [frame(frameType.headers, 5, 1, Buffer.concat([block(ok), Buffer.from("40", "hex"), Buffer.from([3]), Buffer.from("x-a"), Buffer.from([0x7f, 0x80 | ((3900 - 127) & 127), (3900 - 127) >> 7]), Buffer.alloc(3900, "a"), Buffer.alloc(8000, 0xbe)]))],
  },
  {
    name: "a head of more bytes than are taken", outcome: "stream CANCEL", step: "response-head",
    bytes: [frame(frameType.headers, endStream, 1, block(ok)), ...Array.from({ length: 5 }, (_, i) => continuation(1, block([["x-a", "a".repeat(15_000)]]), i === 4))],
  },
  { name: "more fields than are taken", outcome: "stream CANCEL", step: "response-head", bytes: [whole(1, [...ok, ...Array.from({ length: 1100 }, () => ["x", ""] as const)])] },
  { name: "trailers of more bytes than are taken", outcome: "stream CANCEL", step: "response-body", bytes: [head, frame(frameType.headers, endStream, 1, block([["x-a", "1"]])), ...Array.from({ length: 5 }, (_, i) => continuation(1, block([["x-a", "a".repeat(15_000)]]), i === 4))] },
  { name: "GOAWAY with an error", bytes: [goaway(3, errorCode.internalError)], outcome: "ended", step: "request" },
];
