import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { playInMemory } from "./memory-connection.ts";
import { seedMessages } from "./mutations.ts";

const refused = [
  "GET /a\tb HTTP/1.1\r\nHost: a.test\r\n\r\n",
  "GET /a HTTP/1.1\r\nHost: a.test\r\nX: a\nY: b\r\n\r\n",
  "GET /a HTTP/1.1\r\nX: a\r\n\r\n",
  "GET /a HTTP/1.1\r\nHost: a.test\r\n X: a\r\n\r\n",
  "POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip\r\n\r\n",
  "POST /a HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
  "GET /a HTTP/3.0\r\nHost: a.test\r\n\r\n",
];
const messages = [...seedMessages, ...refused].map((text) => Buffer.from(text, "latin1"));

describe("a request gives the same result", () => {
  test.each(messages.map((bytes, index) => [index, bytes] as const))("cut in two at every byte: message %i", (_index, bytes) => {
    const whole = outcome([bytes]);
    for (let at = 1; at < bytes.length; at++) {
      expect(outcome([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(whole);
    }
  });

  test("in single bytes", () => {
    for (const bytes of messages) {
      const single = Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1));
      expect(outcome(single)).toEqual(outcome([bytes]));
    }
  });

  test("however a row of requests is split", () => {
    const rows = fc.array(fc.constantFrom(...messages), { minLength: 1, maxLength: 4 }).map((row) => Buffer.concat(row));
    fc.assert(
      fc.property(rows, fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), (bytes, sizes) => {
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        pieces.push(bytes.subarray(at));
        expect(outcome(pieces)).toEqual(outcome([bytes]));
      }),
      { numRuns: 300 },
    );
  });
});

function outcome(pieces: readonly Uint8Array[]): unknown {
  const { requests, sent, ended } = playInMemory(pieces);
  return { requests, sent, ended };
}
