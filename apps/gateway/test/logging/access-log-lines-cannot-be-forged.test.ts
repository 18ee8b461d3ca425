import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessLogEntry } from "../../src/access-log/access-log-entry.ts";
import { accessLogFormatter } from "../../src/access-log/access-log-format.ts";

const entry: AccessLogEntry = {
  time: Date.UTC(2026, 10, 22, 13, 5, 9),
  duration: 1.23456,
  remoteAddress: "203.0.113.7",
  request: {
    method: "GET",
    target: "/a?b=c",
    httpVersion: "1.1",
    authority: "shop.test",
    referer: undefined,
    userAgent: "curl/8",
  },
  status: 200,
  route: "r1",
  cluster: "c1",
  destination: "d1",
  attempts: undefined,
  error: undefined,
};

const combined = accessLogFormatter("combined");
const json = accessLogFormatter("json");

/** Splits as readers of combined logs do: on spaces outside quotes and brackets, a backslash escapes. */
function fields(line: string): string[] {
  return line.trimEnd().match(/"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^ ]+/g) ?? [];
}

describe("access log", () => {
  test("a combined line has the customary fields, then ours", () => {
    expect(combined(entry)).toBe(
      '203.0.113.7 - - [22/Nov/2026:13:05:09 +0000] "GET /a?b=c HTTP/1.1" 200 - "-" "curl/8" ' +
        '1.235 "shop.test" "r1" "c1" "d1" -\n',
    );
  });

  test("a request that could not be read has a line too", () => {
    expect(
      combined({ ...entry, request: undefined, duration: undefined, status: 400, route: undefined, error: "bad header" }),
    ).toBe('203.0.113.7 - - [22/Nov/2026:13:05:09 +0000] "-" 400 - "-" "-" - "-" "-" "c1" "d1" bad\\x20header\n');
  });

  test("line breaks, quotes, backslashes, escape sequences and bytes above ASCII are escaped", () => {
    const target = '/\r\nFORGED" \\ \u001b[31m \u00e9\u0085';
    expect(combined({ ...entry, request: { ...entry.request!, target } })).toContain(
      '"GET /\\x0d\\x0aFORGED\\x22 \\x5c \\x1b[31m \\xe9\\x85 HTTP/1.1"',
    );
    const line = json({ ...entry, request: { ...entry.request!, target } });
    expect(JSON.parse(line)).toMatchObject({ target });
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  });

  test("what a cache did is told in JSON", () => {
    expect(JSON.parse(json({ ...entry, cache: "hit" }))).toMatchObject({ cache: "hit" });
    expect(json(entry)).not.toContain("cache");
    expect(combined({ ...entry, cache: "hit" })).toBe(combined(entry));
  });

  test("a very long field is cut", () => {
    const line = combined({ ...entry, request: { ...entry.request!, userAgent: "u".repeat(100_000) } });
    expect(line.length).toBeLessThan(9000);
    expect(line).toContain('uuu..."');
  });

  test("whatever a client sends, a request is one printable line with the same fields", () => {
    const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(latin1, latin1, latin1, latin1, (target, referer, userAgent, authority) => {
        const made = { ...entry, request: { ...entry.request!, target, referer, userAgent, authority } };
        const text = combined(made);
        expect(text).toMatch(/^[\x20-\x7e]+\n$/);
        expect(fields(text)).toHaveLength(15);
        const object = json(made);
        expect(object).toMatch(/^[\x20-\x7e]+\n$/);
        expect(JSON.parse(object)).toMatchObject({ target, referer, userAgent, host: authority });
      }),
      { numRuns: 200 },
    );
  });
});
