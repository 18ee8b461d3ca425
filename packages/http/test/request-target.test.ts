import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isAuthority, isQuery, normalizePath, parseRequestTarget, portColon } from "../src/index.ts";

describe("path", () => {
  test.each([
    ["/", "/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["//a//b//", "//a//b//"],
    ["/.", "/"],
    ["/..", "/"],
    ["/a/.", "/a/"],
    ["/a/..", "/"],
    ["/a/./b", "/a/b"],
    ["/a/../b", "/b"],
    ["/a/b/../../c", "/c"],
    ["/a//../b", "/a/b"],
    ["//../admin", "/admin"],
    ["/../../../../etc/passwd", "/etc/passwd"],
    ["/public/%2e%2e/admin/x", "/admin/x"],
    ["/public/%2E./admin/x", "/admin/x"],
    ["/public/.%2e/admin/x", "/admin/x"],
    ["/a/%2e/b", "/a/b"],
    ["/a/%2E", "/a/"],
    ["/a/...", "/a/..."],
    ["/a/%2e%2e%2e", "/a/%2e%2e%2e"],
    ["/.well-known/x", "/.well-known/x"],
    ["/a/..b/.c./d..", "/a/..b/.c./d.."],
    ["/a/..;/b", "/a/..;/b"],
    ["/a/..%2fb", "/a/..%2fb"],
    ["/a%2Fb%5Cc", "/a%2Fb%5Cc"],
    ["/%252e%252e/a", "/%252e%252e/a"],
    ["/%ef%bc%8e%ef%bc%8e/a", "/%ef%bc%8e%ef%bc%8e/a"],
    ["/a[1]", "/a[1]"],
    ["/a%0d%0ab", "/a%0d%0ab"],
  ])("%s has the normal form %s", (path, normal) => {
    expect(normalizePath(path)).toBe(normal);
  });

  test.each(["", "a", "*", "/a b", "/a\tb", "/a\0", "/a\x7f", "/é", "/\u{2025}", '/"', "/<", "/>", "/\\..\\a", "/^", "/`", "/{", "/|", "/}",
    "/a#b", "/a?b", "/%", "/%2", "/%zz", "/%2g", "/%u0061", "/a%00"])("%j is refused", (path) => {
    expect(normalizePath(path)).toBeUndefined();
  });

  test("the same string comes back when nothing needs to change", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom("a", "b.c", "", "%2F", "..a", "%41"), { maxLength: 6 }), (segments) => {
      const path = `/${segments.join("/")}`;
      expect(normalizePath(path)).toBe(path);
    }));
  });

  test("the normal form is stable and holds no dot segment, whatever the path", () => {
    const piece = fc.constantFrom("a", ".", "..", "%2e", "%2E", "/", "%2f", "", "b", ";", "%25");
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const normal = normalizePath(`/${pieces.join("")}`);
      expect(normal).toBeDefined();
      expect(normalizePath(normal as string)).toBe(normal);
      for (const segment of (normal as string).split("/")) expect(segment).not.toMatch(/^(\.|%2e){1,2}$/i);
    }));
  });
});

describe("query", () => {
  test.each(["", "?", "?a=1", "?a=%20&b=c+d&e[]=1&f=%7B%7D;g", "?a={b|c}^`\\", "?a?b", "?100%", "?'()*"])("%s passes", (query) => {
    expect(isQuery(query)).toBe(true);
  });
  test.each(["?a b", "?a#b", '?"', "?<", "?>", "?\0", "?\x7f", "?é"])("%j is refused", (query) => {
    expect(isQuery(query)).toBe(false);
  });
});

describe("authority", () => {
  test.each(["a", "example.test", "example.test:80", "a_b.test", "127.0.0.1:0", "127.0.0.1:65535", "[::1]", "[::1]:8080", "[::ffff:1.2.3.4]",
    "xn--a.test", "EXAMPLE.test."])("%s is valid", (authority) => {
    expect(isAuthority(authority)).toBe(true);
  });
  test.each(["", ":80", "a:", "a:b", "a:65536", "a:99999", "a:000080", "a:1:2", "a.test@b.test", "u:p@b.test", "a, b", "a,b", "a b", "a/b", "a%41",
    "[", "[]", "[::1", "[::1]x", "[::1]:", "[::1%eth0]", "[v1.a]", "[1.2.3.4]", "::1", "é.test", "a\0", "a\t", "a?b", "a#b", "a\\b", "*", "a".repeat(5000)])(
    "%j is refused", (authority) => {
      expect(isAuthority(authority)).toBe(false);
    });
  test("the port is found behind names and addresses", () => {
    expect(["a", "a:1", "[::1]", "[::1]:2"].map(portColon)).toEqual([-1, 1, -1, 5]);
  });
});

describe("request target", () => {
  test("origin form splits path and query and normalises the path only", () => {
    expect(parseRequestTarget("GET", "/a/../b?c=/../d?e")).toEqual({
      form: "origin", scheme: undefined, authority: "", path: "/b", query: "?c=/../d?e",
    });
  });

  test("absolute form gives scheme, authority, path and query", () => {
    expect(parseRequestTarget("GET", "HTTP://Example.test:81/a/%2e%2e/b?c")).toEqual({
      form: "absolute", scheme: "http", authority: "Example.test:81", path: "/b", query: "?c",
    });
    expect(parseRequestTarget("GET", "https://[::1]")).toMatchObject({ scheme: "https", authority: "[::1]", path: "/", query: "" });
    expect(parseRequestTarget("GET", "http://a.test?x")).toMatchObject({ path: "/", query: "?x" });
  });

  test("OPTIONS asks about the server with an asterisk or an absolute form without a path", () => {
    expect(parseRequestTarget("OPTIONS", "*")).toMatchObject({ form: "asterisk", path: "*" });
    expect(parseRequestTarget("OPTIONS", "http://a.test")).toMatchObject({ form: "absolute", path: "*" });
    expect(parseRequestTarget("OPTIONS", "http://a.test/")).toMatchObject({ form: "absolute", path: "/" });
  });

  test("CONNECT takes host and port", () => {
    expect(parseRequestTarget("CONNECT", "a.test:443")).toMatchObject({ form: "authority", authority: "a.test:443", path: "" });
  });

  test.each([
    ["GET", "", "INVALID_TARGET_FORM"],
    ["GET", "*", "INVALID_TARGET_FORM"],
    ["options", "*", "INVALID_TARGET_FORM"],
    ["GET", "a.test:80", "INVALID_TARGET_FORM"],
    ["GET", "@127.0.0.1:1/", "INVALID_TARGET_FORM"],
    ["GET", "a", "INVALID_TARGET_FORM"],
    ["GET", "file:///etc/passwd", "INVALID_TARGET_SCHEME"],
    ["GET", "ftp://a.test/", "INVALID_TARGET_SCHEME"],
    ["GET", "http:///a", "INVALID_TARGET_AUTHORITY"],
    ["GET", "http://user:pass@a.test/", "INVALID_TARGET_AUTHORITY"],
    ["GET", "http://a.test:99999/", "INVALID_TARGET_AUTHORITY"],
    ["GET", "http://[::1/", "INVALID_TARGET_AUTHORITY"],
    ["GET", "http://a.test\\@b.test/", "INVALID_TARGET_AUTHORITY"],
    ["GET", "http://a.test#b", "INVALID_TARGET_PATH"],
    ["GET", "/a#/../admin", "INVALID_TARGET_PATH"],
    ["GET", "/a?b#c", "INVALID_TARGET_QUERY"],
    ["GET", "/a b", "INVALID_TARGET_PATH"],
    ["CONNECT", "a.test", "INVALID_TARGET_AUTHORITY"],
    ["CONNECT", "/a", "INVALID_TARGET_AUTHORITY"],
    ["CONNECT", "http://a.test:80/", "INVALID_TARGET_AUTHORITY"],
  ])("%s %j is refused as %s", (method, target, code) => {
    expect(parseRequestTarget(method, target)).toEqual({ form: "invalid", status: 400, code });
  });

  test("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: fc.nat({ max: 0x1ff }).map((code) => String.fromCharCode(code)) }), fc.constantFrom("GET", "OPTIONS", "CONNECT"), (target, method) => {
      parseRequestTarget(method, target);
    }));
  });
});
