import { describe, expect, test } from "vitest";
import { HpackError } from "../../../src/engine/http2/hpack/hpack-decoder.ts";
import { decoder, FieldCollector, fieldsOf, hex } from "./collect.ts";

const faults: readonly (readonly [string, string, string])[] = [
  ["index 0", "80", "index 0"],
  ["an index beyond the tables", "be", "beyond the table"],
  ["an index far beyond the tables", "ffff7f", "beyond the table"],
  ["a name index beyond the tables", "7f00 0161", "beyond the table"],
  ["an index without its octets", "ff", "integer is cut off"],
  ["an integer of 33 bits", "ffffffffff0f", "too large"],
  ["an integer of endless zeros", "ff8080808080808000", "too large"],
  ["a string without its length", "40", "string is cut off"],
  ["a name without a value", "400161", "string is cut off"],
  ["a name longer than its block", "400561", "longer than its block"],
  ["a value longer than its block", "4001617f0061", "longer than its block"],
  ["a length of a value near 2^28", "4001617fffffff7f61", "longer than its block"],
  ["a code that is EOS", "0001 61 84 ffffffff", "Huffman"],
  ["eight bits of padding", "0001 61 82 1fff", "Huffman"],
  ["padding alone of eight bits", "0001 61 81 ff", "Huffman"],
  ["padding of zeros", "0001 61 81 18", "Huffman"],
  ["padding with one zero", "0001 61 81 1d", "Huffman"],
  ["a long code that is cut off", "0001 61 82 fffe", "Huffman"],
  ["a long code that is cut off behind other codes", "0001 61 85 1863 18fffe", "Huffman"],
  ["a long code cut off within its last octets", "0001 61 84 18fffffa", "Huffman"],
  ["a size update behind a field", "8220", "behind a field"],
  ["three size updates", "202120", "more than two"],
  ["a size update larger than the settings", "3fe21f", "larger than the settings"],
];

describe("what is no HPACK is refused", () => {
  test.each(faults)("%s", (_name, block, message) => {
    const of = decoder();
    expect(() => fieldsOf(of, hex(block))).toThrow(HpackError);
    expect(() => fieldsOf(decoder(), hex(block))).toThrow(message);
  });

  test("each octet that is cut off a block of literals is missed", () => {
    const block = hex("4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
    for (let end = 1; end < block.length; end++) {
      expect(() => decoder().decode(block, 0, end, new FieldCollector())).toThrow(HpackError);
    }
    expect(decoder().decode(block, 0, block.length, new FieldCollector())).toBe(true);
  });
});

describe("the size of the table", () => {
  test("may be as large as announced, before the peer acknowledged it at least 4096", () => {
    const small = decoder(100);
    expect(fieldsOf(small, hex("3fe11f"))).toEqual([]);
    small.settingsAcknowledged();
    expect(() => fieldsOf(small, hex("82"))).toThrow("as small as the settings ask");
    const obedient = decoder(100);
    obedient.settingsAcknowledged();
    expect(fieldsOf(obedient, hex("3f45 82"))).toEqual([[":method", "GET"]]);
    expect(fieldsOf(obedient, hex("82"))).toEqual([[":method", "GET"]]);
    expect(() => fieldsOf(obedient, hex("3f46"))).toThrow("larger than the settings");
    const large = decoder(8192);
    expect(fieldsOf(large, hex("3fe13f"))).toEqual([]);
    expect(() => fieldsOf(large, hex("3fe23f"))).toThrow("larger than the settings");
  });

  test("0 keeps nothing", () => {
    const of = decoder();
    expect(fieldsOf(of, hex("20 4001610162 4001610162"))).toEqual([["a", "b"], ["a", "b"]]);
    expect(() => fieldsOf(of, hex("be"))).toThrow("beyond the table");
  });

  test("is kept by an entry that is larger than the table, which empties it", () => {
    const of = decoder();
    // 34 bytes each in a table of 100: two stay.
    expect(fieldsOf(of, hex("3f45 4001610131 4001610132 4001610133 bebf"))).toHaveLength(5);
    expect(() => fieldsOf(of, hex("c0"))).toThrow("beyond the table");
    fieldsOf(of, Buffer.concat([hex("40016145"), Buffer.alloc(0x45, "x")]));
    expect(() => fieldsOf(of, hex("be"))).toThrow("beyond the table");
  });

  test("lets an entry take the name of one that it pushes out (RFC 7541, 4.4)", () => {
    const of = decoder();
    fieldsOf(of, hex("3f05 40026e310131"));
    expect(fieldsOf(of, hex("7e0132 be"))).toEqual([["n1", "2"], ["n1", "2"]]);
  });
});

describe("the list of fields is bounded", () => {
  test("and the table right behind a list that was too large", () => {
    const of = decoder(4096, 100);
    const collector = new FieldCollector();
    // 34 bytes each.
    expect(of.decode(hex("4001610131 4001610132 4001610133"), 0, 15, collector)).toBe(false);
    expect(collector.fields).toEqual([["a", "1"], ["a", "2"]]);
    expect(fieldsOf(of, hex("bec0"))).toEqual([["a", "3"], ["a", "1"]]);
  });

  test("also for a small block that means a huge list", () => {
    const of = decoder(4096, 65_536);
    fieldsOf(of, Buffer.concat([hex("4001617fa11e"), Buffer.alloc(4000, "x")]));
    const collector = new FieldCollector();
    const bomb = Buffer.alloc(16_384, 0xbe);
    expect(of.decode(bomb, 0, bomb.length, collector)).toBe(false);
    expect(collector.fields).toHaveLength(Math.floor(65_536 / 4033));
  });

  test("and once too large takes no smaller fields behind", () => {
    const of = decoder(4096, 100);
    const collector = new FieldCollector();
    expect(of.decode(Buffer.concat([hex("000161 7f01"), Buffer.alloc(0x80, "x"), hex("82")]), 0, 134, collector)).toBe(false);
    expect(collector.fields).toEqual([]);
  });
});

test("an entry is the same object, with the same strings, each time it is referred to", () => {
  const of = decoder();
  const collector = new FieldCollector();
  of.decode(hex("8240026e310131be bf"), 0, 8, collector);
  expect(collector.entries[0]).toBeDefined();
  expect(collector.entries[2]).toBe(collector.entries[1]);
});
