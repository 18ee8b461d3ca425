import { describe, expect, it } from "vitest";
import type { RouteMatch } from "@proxy/config";
import { requestOf, route, tableOf } from "./support.ts";
import type { RequestParts } from "./support.ts";

interface Work {
  readonly visits: number;
  readonly tests: number;
}

function workFor(count: number, match: (index: number) => RouteMatch, request: (index: number) => RequestParts): Work {
  const table = tableOf(Array.from({ length: count }, (_, i) => route(`r${i}`, match(i))));
  const index = Math.floor(count / 2);
  expect(table.match(requestOf(request(index)))).toMatchObject({ kind: "matched", payload: `r${index}` });
  return table.lastWork;
}

describe("the work of a match", () => {
  const shapes: readonly (readonly [name: string, match: (i: number) => RouteMatch, request: (i: number) => RequestParts])[] = [
    ["literal segments", (i) => ({ path: `/a/s${i}/{**rest}` }), (i) => ({ path: `/a/s${i}/x/y` })],
    ["parameters before literals", (i) => ({ path: `/{v}/s${i}/{id:int}` }), (i) => ({ path: `/1/s${i}/2` })],
    ["hosts", (i) => ({ path: "/{**rest}", hosts: [`h${i}.test`] }), (i) => ({ authority: `h${i}.test` })],
    ["wildcard hosts", (i) => ({ hosts: [`*.h${i}.test`] }), (i) => ({ authority: `a.b.h${i}.test` })],
    ["ports", (i) => ({ hosts: [`*:${i + 1}`] }), (i) => ({ authority: `x:${i + 1}` })],
  ];
  it.each(shapes)("is the same for 10 and 10,000 routes that differ in %s", (_name, match, request) => {
    const few = workFor(10, match, request);
    const many = workFor(10_000, match, request);
    expect(many).toEqual(few);
    expect(many.visits).toBeLessThan(10);
    expect(many.tests).toBe(1);
  });

  it("does not grow with the labels of a host beyond those that patterns have", () => {
    const table = tableOf([route("r", { hosts: ["*.example.com"] })]);
    const authority = `${"a.".repeat(50_000)}example.com`;
    expect(table.match(requestOf({ authority }))).toMatchObject({ kind: "matched" });
  });
});
