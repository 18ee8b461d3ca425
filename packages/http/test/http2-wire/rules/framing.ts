/** RFC 9113, sections 3 and 4; RFC 7541. */
import { clientPreface, frameFlag, frameType } from "../../../src/engine/http2/frames.ts";
import { block, continuation, data, frame, open, ping, priority, request, settings, whole } from "../frames-to-send.ts";
import { goesOn, type Rule } from "../rule.ts";

const { endStream, endHeaders } = frameFlag;
const compression = ["connection COMPRESSION_ERROR"];
const protocol = ["connection PROTOCOL_ERROR"];
const frameSize = ["connection FRAME_SIZE_ERROR"];
const refused = block(request("/refused"));

/** A head whose block ends with octets that are no HPACK. */
function badBlock(hex: string): Buffer {
  return frame(frameType.headers, endStream | endHeaders, 1, Buffer.concat([refused, Buffer.from(hex, "hex")]));
}

/** What must not stand between HEADERS without END_HEADERS and its CONTINUATION. */
function within(inserted: Buffer): Rule["send"] {
  return (client) => client.send(frame(frameType.headers, endStream, 1, refused.subarray(0, 5)), inserted, continuation(1, refused.subarray(5)));
}

export const framing: readonly Rule[] = [
  { name: "3.4 a preface with other characters", options: { greeting: Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r") }, send: () => undefined, allowed: [...protocol, "closed"] },
  { name: "3.4 a request of HTTP/1.1 instead of the preface", options: { greeting: Buffer.from("GET /refused HTTP/1.1\r\nHost: a.test\r\n\r\n") }, send: () => undefined, allowed: [...protocol, "closed"] },
  { name: "3.4 the preface without SETTINGS behind it", options: { greeting: clientPreface }, send: (client) => client.send(ping()), allowed: protocol },
  { name: "3.4 SETTINGS with ACK as the first frame", options: { greeting: clientPreface }, send: (client) => client.send(frame(frameType.settings, frameFlag.ack, 0), whole(1, request("/refused"))), allowed: protocol },
  {
    name: "3.4 the preface octet by octet",
    options: { greeting: Buffer.alloc(0), acknowledge: false },
    async send(client) {
      for (const octet of Buffer.concat([clientPreface, settings([])])) await new Promise<void>((resolve) => client.socket.write(Buffer.from([octet]), () => resolve()));
    },
    allowed: [goesOn],
  },

  { name: "4.1 a frame of an unknown type", send: (client) => client.send(frame(0x16, 0xff, 0, Buffer.alloc(8)), frame(0xff, 0xff, 77, Buffer.alloc(100))), allowed: [goesOn] },
  { name: "4.1 flags that PING does not have", send: (client) => client.send(frame(frameType.ping, 0xfe, 0, Buffer.alloc(8))), allowed: [goesOn] },
  { name: "4.1 the reserved bit of a stream identifier", send: (client) => client.send(frame(frameType.ping, 0, 0x80000000, Buffer.alloc(8)), frame(frameType.headers, 5, 0x80000001, block(request("/")))), allowed: ["status 200"] },

  { name: "4.2 DATA of 16384 octets", send: (client) => client.send(open(1, request("/echo", [], "POST")), data(1, Buffer.alloc(16_384), true)), allowed: ["status 200"] },
  { name: "4.2 DATA of 16385 octets", send: (client) => client.send(open(1, request("/echo", [], "POST")), data(1, Buffer.alloc(16_385), true)), allowed: [...frameSize, "stream FRAME_SIZE_ERROR"] },
  { name: "4.2 HEADERS of 16385 octets", send: (client) => client.send(frame(frameType.headers, 5, 1, Buffer.concat([refused, block([["a", "x".repeat(16_385 - refused.length - 6)]])]))), allowed: frameSize },
  { name: "4.2 SETTINGS of 16386 octets", send: (client) => client.send(frame(frameType.settings, 0, 0, Buffer.alloc(16_386))), allowed: frameSize },
  { name: "4.2 an unknown frame of 16385 octets", send: (client) => client.send(frame(0x20, 0, 0, Buffer.alloc(16_385))), allowed: [...frameSize, goesOn] },

  { name: "4.3 index 0 (RFC 7541, 6.1)", send: (client) => client.send(badBlock("80")), allowed: compression },
  { name: "4.3 an index beyond the table (RFC 7541, 2.3.3)", send: (client) => client.send(badBlock("be")), allowed: compression },
  { name: "4.3 a name index beyond the table", send: (client) => client.send(badBlock("7f000161")), allowed: compression },
  { name: "4.3 an integer that never ends (RFC 7541, 5.1)", send: (client) => client.send(badBlock("ffffffffffffffffffffff01")), allowed: compression },
  { name: "4.3 a block that is cut off", send: (client) => client.send(badBlock("0001")), allowed: compression },
  { name: "4.3 a string longer than its block", send: (client) => client.send(badBlock("000161 05 61".replaceAll(" ", ""))), allowed: compression },
  { name: "4.3 EOS within a string (RFC 7541, 5.2)", send: (client) => client.send(badBlock("00016184ffffffff")), allowed: compression },
  { name: "4.3 padding of a string of more than seven bits", send: (client) => client.send(badBlock("000161821fff")), allowed: compression },
  { name: "4.3 padding of a string with zeros", send: (client) => client.send(badBlock("0001618118")), allowed: compression },
  { name: "4.3 a table size beyond the settings (RFC 7541, 6.3)", send: (client) => client.send(frame(frameType.headers, 5, 1, Buffer.concat([Buffer.from("3fe2ff7f", "hex"), refused]))), allowed: compression },
  { name: "4.3 a table size behind a field (RFC 7541, 4.2)", send: (client) => client.send(badBlock("20")), allowed: compression },
  { name: "4.3 two table sizes before the fields", send: (client) => client.send(frame(frameType.headers, 5, 1, Buffer.concat([Buffer.from("203fe11f", "hex"), block(request("/"))]))), allowed: ["status 200"] },
  {
    name: "4.3 an entry made by a malformed request is there for the next",
    send: (client) =>
      client.send(
        frame(frameType.headers, 5, 1, Buffer.concat([block(request("/refused")), Buffer.from("4003582d410161", "hex")])),
        frame(frameType.headers, 5, 3, Buffer.concat([block([[":method", "GET"], [":scheme", "http"], [":authority", "a.test"]]), Buffer.from("44022f71be", "hex")])),
        frame(frameType.headers, 5, 5, Buffer.concat([block([[":method", "GET"], [":scheme", "http"], [":authority", "a.test"]]), Buffer.from("be", "hex")])),
      ),
    stream: 5,
    allowed: ["status 200"],
  },

  { name: "4.3 PRIORITY within a header block", send: within(priority(1, 0)), allowed: protocol },
  { name: "4.3 HEADERS of another stream within a header block", send: within(whole(3, request("/refused"))), allowed: protocol },
  { name: "4.3 DATA within a header block", send: within(data(1, "x")), allowed: protocol },
  { name: "4.3 PING within a header block", send: within(ping()), allowed: protocol },
  { name: "4.3 SETTINGS within a header block", send: within(settings([])), allowed: protocol },
  { name: "5.5 an unknown frame within a header block", send: within(frame(0x20, 0, 1)), allowed: protocol },
  { name: "4.3 CONTINUATION of another stream within a header block", send: within(continuation(3, refused)), allowed: protocol },
];
