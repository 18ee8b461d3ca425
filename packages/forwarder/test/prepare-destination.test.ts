import { assert, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { encodePath, prepareDestination } from "../src/index.ts";

describe("prepareDestination", () => {
  test.each([
    ["http://a", "a", 80, "a", ""],
    ["http://a/", "a", 80, "a", ""],
    ["HTTPS://A.Example:443/Base/", "a.example", 443, "a.example", "/Base"],
    ["http://a:8080/x/y", "a", 8080, "a:8080", "/x/y"],
    ["http://[::1]:81/", "::1", 81, "[::1]:81", ""],
    ["http://bücher.example/", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", ""],
  ])("reads %s", (prefix, host, port, authority, basePath) => {
    const destination = prepareDestination(prefix);
    expect([destination.origin.host, destination.origin.port, destination.authority, destination.basePath]).toEqual([
      host,
      port,
      authority,
      basePath,
    ]);
  });

  test.each([
    "", "a", "http://", "http:///path", "ftp://a/", "//a/", "http://a:0/", "http://a:99999/", "http://[::1/", "http://a b/",
    "http://user:secret@a/", "http://a/?q", "http://a/#f", "http://a\\b/", "http://a/\r\nX: 1", "http://a/\u0000", " http://a/",
  ])("refuses %j", (prefix) => {
    expect(() => prepareDestination(prefix)).toThrow(TypeError);
  });

  test("keeps a password out of its message", () => {
    expect(() => prepareDestination("http://user:secret@a/")).toThrow(/^(?!.*secret)/u);
  });
});

describe("encodePath", () => {
  test("is what a URL's path decodes to again", () => {
    assert(
      property(string({ unit: "grapheme" }), (text) => {
        const encoded = encodePath(`/${text}`);
        expect(decodeURIComponent(encoded)).toBe(`/${text}`.toWellFormed());
        expect(encoded).toMatch(/^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*$/u);
      }),
    );
  });
});
