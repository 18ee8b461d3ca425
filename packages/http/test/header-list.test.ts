import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FieldScanner } from "../src/engine/head-parser.ts";
import { headerKey, HeaderList } from "../src/index.ts";

function parsed(text: string): HeaderList {
  const bytes = Buffer.from(`${text}\r\n`, "latin1");
  const scanner = new FieldScanner();
  const end = scanner.scan(bytes, 0, bytes.length, 1000);
  if (end !== bytes.length) throw new Error(`scan gave ${end}: ${scanner.fault}`);
  return scanner.list(bytes.toString("latin1"), 0);
}

describe("a list from the wire", () => {
  test("keeps order, case and repetition, and trims values", () => {
    const list = parsed("Host: a\r\nX-A:b\r\nx-a: \t c \t\r\nEmpty:\r\nEmpty: \r\n");
    expect([...list]).toEqual([["Host", "a"], ["X-A", "b"], ["x-a", "c"], ["Empty", ""], ["Empty", ""]]);
    expect(list.getAll("x-a")).toEqual(["b", "c"]);
    expect(list.toWire()).toBe("Host: a\r\nX-A: b\r\nx-a: c\r\nEmpty: \r\nEmpty: \r\n");
  });

  test("writes neighbours as they came, and changed lines anew", () => {
    const list = parsed("A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n");
    list.set("B", "two");
    list.remove("c");
    list.append("E", "5");
    expect(list.toWire()).toBe("A: 1\r\nB: two\r\nD: 4\r\nE: 5\r\n");
    expect(list.copy().toWire()).toBe(list.toWire());
  });

  test("mixed with lines of another message writes each from its own text", () => {
    const one = parsed("A: 1\r\nB: 2\r\n");
    const other = parsed("C: 3\r\nD: 4\r\n");
    const mixed = new HeaderList();
    for (const [list, index] of [[one, 0], [other, 1], [one, 1], [other, 0], [one, 0]] as const) mixed.appendFrom(list, index);
    expect(mixed.toWire()).toBe("A: 1\r\nD: 4\r\nB: 2\r\nC: 3\r\nA: 1\r\n");
  });
});

describe("a name", () => {
  test("has one key for all its spellings, known or not", () => {
    const list = parsed("cOnTeNt-LeNgTh: 1\r\nX-Nobody-Knows: 2\r\nX-NOBODY-KNOWS: 3\r\n");
    expect(list.keyAt(0)).toBe("content-length");
    expect(list.getAll("x-nobody-knows")).toEqual(["2", "3"]);
    expect(headerKey("X-Nobody-KNOWS")).toBe("x-nobody-knows");
  });

  test("is read right also when more names come than are remembered", () => {
    for (let i = 0; i < 5000; i++) {
      const list = parsed(`X-Name-${i}: ${i}\r\nHost: h\r\n`);
      expect([list.nameAt(0), list.get(`x-name-${i}`), list.get("host")]).toEqual([`X-Name-${i}`, String(i), "h"]);
    }
  });

  test("that hashes like another is not taken for it", () => {
    // "Aa" and "BB" have the same sum in base 31, and so have all words made of them.
    const words = ["AaAa", "AaBB", "BBAa", "BBBB"].flatMap((one) => ["AaAa", "AaBB", "BBAa", "BBBB"].map((two) => one + two));
    const list = parsed(words.map((word) => `${word}: ${word}\r\n`).join(""));
    for (const [index, word] of words.entries()) expect([list.nameAt(index), list.valueAt(index)]).toEqual([word, word]);
  });
});

const name = fc.constantFrom("Host", "host", "X-A", "x-a", "X-B", "Cookie", "Via");
const value = fc.constantFrom("", "1", "a b", "caf\xe9");
const operation = fc.oneof(
  fc.record({ kind: fc.constant("append"), name, value }),
  fc.record({ kind: fc.constant("set"), name, value }),
  fc.record({ kind: fc.constant("remove"), name, value }),
  fc.record({ kind: fc.constant("change"), name, value }),
  fc.record({ kind: fc.constant("filter"), name, value }),
);

test("a list behaves as an array of pairs does", () => {
  fc.assert(fc.property(fc.array(fc.tuple(name, value)), fc.array(operation), (start, operations) => {
    const list = parsed(start.map(([key, text]) => `${key}: ${text}\r\n`).join(""));
    let model = start.map(([key, text]) => [key, text] as [string, string]);
    for (const { kind, name: field, value: text } of operations) {
      const key = field.toLowerCase();
      const at = model.findIndex(([other]) => other.toLowerCase() === key);
      if (kind === "append" || (kind === "set" && at < 0)) model.push([field, text]);
      else if (kind === "set") model = model.filter(([other], i) => i <= at || other.toLowerCase() !== key).with(at, [field, text]);
      else if (kind === "remove" || kind === "filter") model = model.filter(([other]) => other.toLowerCase() !== key);
      else if (at >= 0) model[at] = [(model[at] as [string, string])[0], text];
      if (kind === "append") list.append(field, text);
      else if (kind === "set") list.set(field, text);
      else if (kind === "remove") expect(list.remove(key)).toBe(at >= 0);
      else if (kind === "filter") list.filter((other) => other !== key);
      else if (at >= 0) list.setValueAt(at, text);
    }
    expect([...list]).toEqual(model);
    expect(list.size).toBe(model.length);
    expect(list.toRaw()).toEqual(model.flat());
    expect(list.toWire()).toBe(model.map(([key, text]) => `${key}: ${text}\r\n`).join(""));
    for (const key of ["host", "x-a", "cookie"]) {
      expect(list.getAll(key)).toEqual(model.filter(([other]) => other.toLowerCase() === key).map(([, text]) => text));
      expect(list.get(key)).toBe(list.getAll(key)[0]);
    }
  }));
});
