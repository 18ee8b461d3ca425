import { expect, test } from "vitest";
import { HpackEncoder } from "../../../src/engine/http2/hpack/hpack-encoder.ts";

/** How many octets each block of these fields takes. */
function sizes(encoder: HpackEncoder, blocks: readonly (readonly (readonly [string, string])[])[]): readonly number[] {
  const target = Buffer.alloc(10_000);
  return blocks.map((fields) => {
    let at = encoder.beginBlock(target, 0);
    for (const [name, value] of fields) at = encoder.writeField(name, value, target, at);
    return at;
  });
}

test("a server names itself once", () => {
  const line = [["server", "a gateway"]] as const;
  expect(sizes(new HpackEncoder(), [line, line, line])).toEqual([11, 1, 1]);
});

test("a field of any other name becomes an entry when its value comes again", () => {
  const line = [["x-release", "2026.11"]] as const;
  expect(sizes(new HpackEncoder(), [line, line, line])).toEqual([19, 19, 1]);
});

test("a date is written twice in its second, and an index then", () => {
  const first = [["date", "Sun, 06 Nov 1994 08:49:37 GMT"]] as const;
  const next = [["date", "Sun, 06 Nov 1994 08:49:38 GMT"]] as const;
  expect(sizes(new HpackEncoder(), [first, first, first, next, next, next])).toEqual([32, 31, 1, 32, 31, 1]);
});

test("values that differ each time push no entry out", () => {
  const encoder = new HpackEncoder();
  const blocks = Array.from({ length: 500 }, (_none, i) => [["server", "a gateway"], ["x-request-id", `${i}`.repeat(10)], ["etag", `"${i}"`]] as const);
  const last = sizes(encoder, blocks).at(-1) as number;
  // The request id with its name, the etag with the index of its name, and the index of the server.
  expect(last).toBe(1 + (1 + 1 + 12 + 1 + 30) + (2 + 1 + 5));
});

test("cookies and credentials are literals that nobody may index", () => {
  const encoder = new HpackEncoder();
  const target = Buffer.alloc(100);
  for (const name of ["set-cookie", "cookie", "authorization", "proxy-authorization"]) {
    for (let i = 0; i < 3; i++) {
      encoder.writeField(name, "a", target, 0);
      expect((target[0] as number) >> 4).toBe(1);
    }
  }
});

test("a value that would fill a good part of the table is a literal", () => {
  const line = [["content-security-policy", "x".repeat(2000)]] as const;
  const [first, second] = sizes(new HpackEncoder(), [line, line]) as [number, number];
  expect(second).toBe(first);
});

test("names without end take no memory and stay literals", () => {
  const encoder = new HpackEncoder();
  const blocks = Array.from({ length: 1000 }, (_none, i) => [[`x-${i}`, "a"], [`x-${i}`, "a"], [`x-${i}`, "a"]] as const);
  const all = sizes(encoder, blocks);
  expect(all[0]).toBe(7 + 7 + 1);
  expect(all.at(-1)).toBe(3 * 9);
});

test("statuses of the static table are one octet", () => {
  const encoder = new HpackEncoder();
  const target = Buffer.alloc(10);
  for (const [status, octet] of [[200, 0x88], [204, 0x89], [206, 0x8a], [304, 0x8b], [400, 0x8c], [404, 0x8d], [500, 0x8e]] as const) {
    expect(encoder.writeStatus(status, target, 3)).toBe(4);
    expect(target[3]).toBe(octet);
    expect(encoder.writeStatus(status, target, 10)).toBe(-1);
  }
  expect(encoder.writeStatus(503, target, 0)).toBe(5);
  expect(target.toString("latin1", 1, 5)).toBe("\x03503");
});
