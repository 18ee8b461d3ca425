import { array, assert, boolean, constantFrom, integer, nat, oneof, option, property, string, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { HpackEncoder } from "../../../src/engine/http2/hpack/hpack-encoder.ts";
import { HpackError } from "../../../src/engine/http2/hpack/hpack-decoder.ts";
import { decodeHuffman, huffmanBound } from "../../../src/engine/http2/hpack/huffman.ts";
import { decoder, type Field, FieldCollector, fieldsOf, hex } from "./collect.ts";

const text = string({ unit: integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 });
const name = oneof(constantFrom(":status", "server", "date", "set-cookie", "x-a", "x-b", "content-length", "content-type"), text);
const value = oneof(constantFrom("", "a", "200", "some value"), text);
const field = tuple(name, value, boolean());
const steps = array(tuple(option(constantFrom(0, 32, 100, 4096, 20_000)), array(field, { maxLength: 12 })), { maxLength: 12 });

describe("what the encoder writes", () => {
  test("is what the decoder reads, whatever the sizes of the tables in between", () => {
    assert(
      property(steps, constantFrom(0, 64, 4096, 10_000), (blocks, own) => {
        const encoder = new HpackEncoder({ maxTableSize: own });
        const of = decoder(20_000);
        const target = Buffer.alloc(20_000);
        for (const [size, fields] of blocks) {
          if (size !== null) encoder.setMaxTableSize(size);
          let at = encoder.beginBlock(target, 0);
          for (const [key, content, sensitive] of fields) at = encoder.writeField(key, content, target, at, sensitive);
          const credentials = new Set(["set-cookie"]);
          const expected = fields.map(([key, content, sensitive]): Field => (sensitive || credentials.has(key) ? [key, content, true] : [key, content]));
          expect(fieldsOf(of, target.subarray(0, at))).toEqual(expected);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("is the same after it did not fit at first, and never stands behind the end", () => {
    assert(
      property(array(tuple(field, nat(400)), { maxLength: 20 }), (fields) => {
        const tried = new HpackEncoder();
        const plain = new HpackEncoder();
        for (const [[key, content, sensitive], room] of fields) {
          const narrow = Buffer.alloc(room + 8, 0xee);
          const wide = Buffer.alloc(1000);
          const end = tried.writeField(key, content, narrow.subarray(0, room), 0, sensitive);
          expect(narrow.subarray(room).every((byte) => byte === 0xee)).toBe(true);
          const expected = plain.writeField(key, content, wide, 0, sensitive);
          if (end >= 0) {
            expect(narrow.subarray(0, end)).toEqual(wide.subarray(0, expected));
            continue;
          }
          expect(room).toBeLessThan(expected + 1);
          const again = Buffer.alloc(1000);
          expect(again.subarray(0, tried.writeField(key, content, again, 0, sensitive))).toEqual(wide.subarray(0, expected));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("any bytes", () => {
  test("are a list or an HpackError", () => {
    assert(
      property(array(uint8Array({ maxLength: 60 }), { maxLength: 6 }), (blocks) => {
        expectOrderly(blocks.map((block) => Buffer.from(block)));
      }),
      { numRuns: 5000 },
    );
  });

  test("that were a block before they were changed are a list or an HpackError", () => {
    const block = hex(`8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff 5886 a8eb 1064 9cbf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf
      400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572 1008 7061 7373 776f 7264 0673 6563 7265 74`);
    const changes = array(tuple(nat(block.length - 1), nat(255)), { minLength: 1, maxLength: 4 });
    assert(
      property(changes, nat(block.length), (list, end) => {
        const changed = Buffer.from(block);
        for (const [at, byte] of list) changed[at] = byte;
        expectOrderly([changed, changed.subarray(0, end)]);
      }),
      { numRuns: 5000 },
    );
  });
});

function expectOrderly(blocks: readonly Buffer[]): void {
  const maximum = 2000;
  const of = decoder(4096, maximum);
  for (const block of blocks) {
    const collector = new FieldCollector();
    try {
      of.decode(block, 0, block.length, collector);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      return;
    } finally {
      expect(collector.fields.reduce((sum, [key, content]) => sum + key.length + content.length + 32, 0)).toBeLessThanOrEqual(maximum);
    }
  }
}

describe("Huffman code", () => {
  /** RFC 7541, Appendix B, of the characters that no field value may hold: nghttp2 agrees about the others. */
  const rare: readonly (readonly [octet: number, code: number, length: number])[] = [
    [0, 0x1ff8, 13], [1, 0x7fffd8, 23], [2, 0xfffffe2, 28], [3, 0xfffffe3, 28], [8, 0xfffffe8, 28], [9, 0xffffea, 24], [10, 0x3ffffffc, 30],
    [11, 0xfffffe9, 28], [12, 0xfffffea, 28], [13, 0x3ffffffd, 30], [14, 0xfffffeb, 28], [21, 0xffffff2, 28], [22, 0x3ffffffe, 30],
    [23, 0xffffff3, 28], [31, 0xffffffb, 28], [127, 0xffffffc, 28],
  ];

  test.each(rare)("of octet %i is read at each place", (octet, code, length) => {
    for (let before = 0; before < 9; before++) {
      for (const behind of [0, 1, 5]) {
        const bits = "00011".repeat(before) + code.toString(2).padStart(length, "0") + "00011".repeat(behind);
        const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
        const bytes = Buffer.from((padded.match(/.{8}/g) as string[]).map((byte) => Number.parseInt(byte, 2)));
        const target = Buffer.alloc(huffmanBound(bytes.length));
        const count = decodeHuffman(bytes, 0, bytes.length, target);
        expect(target.toString("latin1", 0, count)).toBe("a".repeat(before) + String.fromCharCode(octet) + "a".repeat(behind));
      }
    }
  });

  test("never stands for more octets than the bound says", () => {
    assert(
      property(uint8Array({ maxLength: 100 }), (bytes) => {
        const bound = huffmanBound(bytes.length);
        const target = new Uint8Array(bound + 4).fill(0xee);
        expect(decodeHuffman(bytes, 0, bytes.length, target)).toBeLessThanOrEqual(bound);
        expect([...target.subarray(bound)]).toEqual([0xee, 0xee, 0xee, 0xee]);
      }),
      { numRuns: 3000 },
    );
    // Five bits for each: the most that is possible.
    const zeros = new Uint8Array(5);
    expect(decodeHuffman(zeros, 0, 5, new Uint8Array(huffmanBound(5)))).toBe(8);
  });
});
