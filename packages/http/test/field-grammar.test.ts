import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasListElement, isHeaderName, isHeaderValue, isMethod, listElements, reasonPhrase } from "../src/index.ts";

describe("field grammar", () => {
  test("names and methods are tokens", () => {
    for (const good of ["Host", "x", "!#$%&'*+-.^_`|~09azAZ"]) expect(isHeaderName(good) && isMethod(good)).toBe(true);
    for (const bad of ["", " ", "a b", "a:", ":path", "a\0", "é", "G(T", "a@b", "a\u0100", "a\r"]) {
      expect(isHeaderName(bad) || isMethod(bad)).toBe(false);
    }
  });

  test("values hold any byte but controls, of which only the tab passes", () => {
    for (let code = 0; code <= 0xff; code++) {
      const control = (code < 0x20 && code !== 9) || code === 0x7f;
      expect(isHeaderValue(`a${String.fromCharCode(code)}b`)).toBe(!control);
    }
    expect(isHeaderValue("")).toBe(true);
    expect(isHeaderValue("\u0100")).toBe(false);
  });
});

describe("comma lists", () => {
  test("elements are trimmed, empty ones dropped", () => {
    expect(listElements(" a ,,\tB,c d ,")).toEqual(["a", "B", "c d"]);
    expect(listElements("")).toEqual([]);
  });

  test("a token is found as an element only, in any spelling", () => {
    expect(hasListElement("keep-alive, Upgrade", "upgrade")).toBe(true);
    expect(hasListElement("CLOSE", "close")).toBe(true);
    expect(hasListElement("closed, xclose, clo,se", "close")).toBe(false);
    expect(hasListElement("", "close")).toBe(false);
  });

  test("looking up agrees with listing", () => {
    const text = fc.array(fc.constantFrom("a", "A", "b", ",", " ", "\t", "aa"), { maxLength: 10 }).map((parts) => parts.join(""));
    fc.assert(fc.property(text, (value) => {
      expect(hasListElement(value, "a")).toBe(listElements(value).some((element) => element.toLowerCase() === "a"));
    }));
  });
});

test("reason phrases are those of RFC 9110", () => {
  expect([reasonPhrase(200), reasonPhrase(413), reasonPhrase(599)]).toEqual(["OK", "Content Too Large", ""]);
});
