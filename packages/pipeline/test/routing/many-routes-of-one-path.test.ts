import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RouteConfig } from "@proxy/config";
import { requestOf, route, tableOf } from "./support.ts";

const value = fc.constantFrom("a", "B", "c d", "é", "1,2");
const match: fc.Arbitrary<RouteConfig["match"]> = fc.record({
  path: fc.constant("/"),
  methods: fc.constantFrom([], ["GET"], ["POST"]),
  headers: fc.array(
    fc.record({
      name: fc.constantFrom("x", "y", "cookie"),
      values: fc.array(value, { minLength: 1, maxLength: 2 }),
      mode: fc.constantFrom("ExactHeader", "ExactHeader", "HeaderPrefix"),
      isCaseSensitive: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  queryParameters: fc.array(
    fc.record({ name: fc.constantFrom("p", "q"), values: fc.array(value, { minLength: 1, maxLength: 2 }), isCaseSensitive: fc.boolean() }),
    { maxLength: 2 },
  ),
});
const line = fc.constantFrom("a", "b", "A, c d", '"1,2"', "x; é", "\u00c3\u00a9", "");

describe("many routes of one path", () => {
  it("are found by header and query as if each were tried", () => {
    fc.assert(
      fc.property(
        fc.array(match, { minLength: 40, maxLength: 60 }),
        fc.array(fc.tuple(fc.constantFrom("X", "y", "Cookie"), line), { maxLength: 3 }),
        fc.constantFrom("", "?p=a", "?q=b&p=c+d", "?p=%C3%A9&p=a&q=1,2"),
        fc.constantFrom("GET", "POST", "PUT"),
        (matches, headers, query, method) => {
          const table = tableOf(matches.map((one, i) => route(`r${i}`, one)));
          const request = requestOf({ headers, query, method });
          const result = table.match(request);
          const winner = table.explain(request).find(({ outcome }) => outcome === "wins")?.config.routeId;
          expect(result.kind === "matched" ? result.payload : undefined).toBe(winner);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("cost no more tests when a header or parameter tells them apart", () => {
    const byHeader = tableOf(
      Array.from({ length: 10_000 }, (_, i) => route(`r${i}`, { path: "/", headers: [{ name: "X-Tenant", values: [`t${i}`] }] })),
    );
    expect(byHeader.match(requestOf({ headers: [["x-tenant", "T7000"]] }))).toMatchObject({ payload: "r7000" });
    expect(byHeader.lastWork.tests).toBe(1);
    expect(byHeader.match(requestOf()).kind).toBe("not-found");
    expect(byHeader.lastWork.tests).toBe(0);
    const byQuery = tableOf(
      Array.from({ length: 10_000 }, (_, i) => route(`r${i}`, { path: "/", queryParameters: [{ name: "tenant", values: [`t${i}`] }] })),
    );
    expect(byQuery.match(requestOf({ query: "?tenant=t5" }))).toMatchObject({ payload: "r5" });
    expect(byQuery.lastWork.tests).toBe(1);
  });
});
