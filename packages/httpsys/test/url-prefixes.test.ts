import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkQueueName, parseUrlPrefix, UrlPrefixError } from "../src/index.ts";
import { accountName, urlHint } from "../src/url-hint.ts";

describe("a URL prefix", () => {
  test.each([
    ["http://+:80/", "strong wildcard", "http://+:80/"],
    ["https://*", "weak wildcard", "https://*:443/"],
    ["HTTP://Example.Test:8080/App", "name", "http://example.test:8080/App/"],
    ["http://192.0.2.1/", "address", "http://192.0.2.1:80/"],
    ["http://[2001:DB8::1]:8080/a/b/", "address", "http://[2001:db8::1]:8080/a/b/"],
    ["http://localhost:5000", "name", "http://localhost:5000/"],
    ["http://_srv.a-b.test/%C3%A9/", "name", "http://_srv.a-b.test:80/%C3%A9/"],
  ])("%s is a %s, %s", (text, kind, normal) => {
    expect(parseUrlPrefix(text)).toMatchObject({ kind, text: normal });
    expect(parseUrlPrefix(normal)).toEqual(parseUrlPrefix(text));
  });

  test.each([
    "", "+:80/", "ftp://+:21/", "http:///", "http://:80/", "http://+:0/", "http://+:65536/", "http://+:80:80/", "http://+:x/", "http://a b/", "http://a..b/",
    "http://-a/", "http://1.2.3/", "http://256.1.1.1/", "http://[::1/", "http://::1/", "http://[fe80::1%eth0]/", "http://u@h/", "http://+:80/?q", "http://+:80/#f",
    "http://+:80/a//b/", "http://+:80/../", "http://+:80/a/./", "http://+:80/%zz/", "http://+:80/\u0001/", "http://+:80/a\\b/", "http://*.a.test/",
  ])("%j is refused", (text) => {
    expect(() => parseUrlPrefix(text)).toThrow(UrlPrefixError);
  });

  test("is read or refused whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.string().map((rest) => `http://${rest}`)), (text) => {
        try {
          const { text: normal } = parseUrlPrefix(text);
          expect(parseUrlPrefix(normal).text).toBe(normal);
        } catch (error) {
          expect(error).toBeInstanceOf(UrlPrefixError);
        }
      }),
    );
  });
});

test("the name of a queue has 1 to 255 characters, without slash and backslash", () => {
  for (const name of ["a", "Default App Pool", "x".repeat(255)]) expect(() => checkQueueName(name)).not.toThrow();
  for (const name of ["", "x".repeat(256), "a/b", "a\\b", "a\0b"]) expect(() => checkQueueName(name)).toThrow(TypeError);
});

describe("what is said of a prefix that was not registered", () => {
  test.each([
    ["mona", "SHOP", "SHOP\\mona"],
    ["gateway$", "SHOP", "SHOP\\gateway$"],
    ["NETWORK SERVICE", "WORKGROUP", "NT AUTHORITY\\NETWORK SERVICE"],
    ["Local Service", "WORKGROUP", "NT AUTHORITY\\LOCAL SERVICE"],
    ["mona", undefined, "mona"],
  ])("names the account %s of %s as netsh takes it: %s", (user, domain, name) => {
    expect(accountName(() => user, domain)).toBe(name);
  });

  test("leaves the account to its reader where the system does not tell", () => {
    const none = (): string => {
      throw new Error("no such user");
    };
    expect(accountName(none, "SHOP")).toBe("DOMAIN\\user");
  });

  test.each([[5, "netsh http add urlacl url=http://+:80/ user="], [183, "netsh http show servicestate"], [32, "netstat -ano -p tcp"], [87, "HTTP.sys takes no such prefix"], [1450, undefined]])("tells a remedy for %i", (code, remedy) => {
    const hint = urlHint(code, parseUrlPrefix("http://+/"));
    if (remedy === undefined) expect(hint).toBeUndefined();
    else expect(hint).toContain(remedy);
  });
});
