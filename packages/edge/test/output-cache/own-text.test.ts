import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ownText } from "../../src/output-cache/own-text.ts";

it("is the same text, whatever its characters", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => ownText(text) === text));
  for (const text of ["", "latin \u00ff", "\u0100", "\ud800", "\ud83d\ude00", "a\u0000b"]) expect(ownText(text)).toBe(text);
});
