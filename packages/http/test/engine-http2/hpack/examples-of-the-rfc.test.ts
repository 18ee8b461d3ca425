/** RFC 7541, Appendix C. */
import { describe, expect, test } from "vitest";
import { HpackEncoder } from "../../../src/engine/http2/hpack/hpack-encoder.ts";
import { decoder, type Field, fieldsOf, hex } from "./collect.ts";

interface Step {
  readonly block: string;
  readonly fields: readonly Field[];
  /** The dynamic table behind it, newest first. */
  readonly table: readonly Field[];
}

const authority: Field = [":authority", "www.example.com"];
const noCache: Field = ["cache-control", "no-cache"];
const custom: Field = ["custom-key", "custom-value"];
const get: readonly Field[] = [[":method", "GET"], [":scheme", "http"], [":path", "/"]];

function requests(blocks: readonly [string, string, string]): readonly Step[] {
  return [
    { block: blocks[0], fields: [...get, authority], table: [authority] },
    { block: blocks[1], fields: [...get, authority, noCache], table: [noCache, authority] },
    { block: blocks[2], fields: [[":method", "GET"], [":scheme", "https"], [":path", "/index.html"], authority, custom], table: [custom, noCache, authority] },
  ];
}

const found: Field = [":status", "302"];
const redirect: Field = [":status", "307"];
const isPrivate: Field = ["cache-control", "private"];
const date: Field = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"];
const later: Field = ["date", "Mon, 21 Oct 2013 20:13:22 GMT"];
const location: Field = ["location", "https://www.example.com"];
const gzip: Field = ["content-encoding", "gzip"];
const cookie: Field = ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"];

function responses(blocks: readonly [string, string, string]): readonly Step[] {
  return [
    // A table of 256 bytes, as the examples have it.
    { block: `3fe101 ${blocks[0]}`, fields: [found, isPrivate, date, location], table: [location, date, isPrivate, found] },
    { block: blocks[1], fields: [redirect, isPrivate, date, location], table: [redirect, location, date, isPrivate] },
    { block: blocks[2], fields: [[":status", "200"], isPrivate, later, location, gzip, cookie], table: [cookie, gzip, later] },
  ];
}

const examples: readonly (readonly [string, readonly Step[]])[] = [
  ["C.2.1 literal with indexing", [{ block: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", fields: [["custom-key", "custom-header"]], table: [["custom-key", "custom-header"]] }]],
  ["C.2.2 literal without indexing", [{ block: "040c 2f73 616d 706c 652f 7061 7468", fields: [[":path", "/sample/path"]], table: [] }]],
  ["C.2.3 literal never indexed", [{ block: "1008 7061 7373 776f 7264 0673 6563 7265 74", fields: [["password", "secret", true]], table: [] }]],
  ["C.2.4 indexed field", [{ block: "82", fields: [[":method", "GET"]], table: [] }]],
  ["C.3 requests", requests([
    "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
    "8286 84be 5808 6e6f 2d63 6163 6865",
    "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
  ])],
  ["C.4 requests with Huffman code", requests([
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
  ])],
  ["C.5 responses", responses([
    `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768
     7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    "4803 3330 37c1 c0bf",
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153
     444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
  ])],
  ["C.6 responses with Huffman code", responses([
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8
     e9ae 82ae 43d3`,
    "4883 640e ffc1 c0bf",
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b
     3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
  ])],
];

describe("the examples of RFC 7541 are decoded", () => {
  test.each(examples)("%s", (_name, steps) => {
    const of = decoder();
    for (const { block, fields, table } of steps) {
      expect(fieldsOf(of, hex(block))).toEqual(fields);
      const indices = Buffer.from(table.map((_field, i) => 0x80 | (62 + i)));
      expect(fieldsOf(of, indices)).toEqual(table);
      expect(() => fieldsOf(of, Buffer.from([0x80 | (62 + table.length)]))).toThrow("beyond the table");
    }
  });

  test("C.1 integers, in table size updates and as C.1.3 behind a whole prefix", () => {
    expect(fieldsOf(decoder(), hex("2a"))).toEqual([]);
    expect(fieldsOf(decoder(), hex("3f9a0a"))).toEqual([]);
    // 1337 is one more than allowed here, 10 is not.
    const small = decoder(1336);
    small.settingsAcknowledged();
    expect(() => fieldsOf(small, hex("3f9a0a"))).toThrow("larger than the settings allow");
    expect(fieldsOf(small, hex("3f990a"))).toEqual([]);
    expect(fieldsOf(small, hex("2a"))).toEqual([]);
  });
});

describe("the encoder writes what the examples hold", () => {
  test("C.1.2: an integer of three octets", () => {
    const encoder = new HpackEncoder({ maxTableSize: 1337 });
    const target = Buffer.alloc(100);
    expect(target.subarray(0, encoder.beginBlock(target, 0)).toString("hex")).toBe("3f9a0a");
  });

  test("C.3: requests", () => {
    const encoder = new HpackEncoder();
    const target = Buffer.alloc(200);
    const [first, second] = requests(["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865", ""]);
    for (const { block, fields } of [first as Step, second as Step]) {
      let at = encoder.beginBlock(target, 0);
      for (const [name, value] of fields) at = encoder.writeField(name, value, target, at);
      expect(target.subarray(0, at)).toEqual(hex(block));
    }
  });
});
