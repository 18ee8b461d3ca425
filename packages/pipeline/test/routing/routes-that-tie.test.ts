import { describe, expect, it } from "vitest";
import type { RouteConfig, RouteMatch } from "@proxy/config";
import { route, tableOf, winnerOf } from "./support.ts";

function tiesOf(...matches: readonly RouteMatch[]): number {
  const table = tableOf(matches.map((match, i) => route(`r${i}`, match)));
  return table.issues.filter(({ code, severity }) => code === "route-tie" && severity === "warning").length;
}

function header(name: string, value: string): Pick<RouteMatch, "headers"> {
  return { headers: [{ name, values: [value] }] };
}

describe("routes that tie (D7)", () => {
  it.each([
    ["/{x}", "/{y}", "/v"],
    ["/same", "/same", "/same"],
    ["/Same", "/same/", "/same"],
  ])("are a warning at load, and the first declared wins: %s, %s", (first, second, path) => {
    const routes = [route("a", { path: first }), route("b", { path: second })];
    const table = tableOf(routes);
    expect(winnerOf(table, { path })).toBe("a");
    expect(winnerOf(tableOf(routes.toReversed()), { path })).toBe("b");
    expect(table.issues).toMatchObject([{ code: "route-tie", severity: "warning", entity: { kind: "route", id: "b" } }]);
    expect(table.issues[0]?.message).toContain('"a"');
  });

  it("are found where methods or hosts meet in one element", () => {
    expect(tiesOf({ path: "/a", methods: ["GET", "POST"] }, { path: "/a", methods: ["post"] })).toBe(1);
    expect(tiesOf({ hosts: ["a.test", "b.test"] }, { hosts: ["B.TEST:*"] })).toBe(1);
    expect(tiesOf({ path: "/a", ...header("x", "1") }, { path: "/a", ...header("x", "1") })).toBe(1);
    expect(tiesOf({ path: "/a", ...header("x", "1") }, { path: "/a", ...header("y", "1") })).toBe(1);
    expect(tiesOf({ path: "/{a:int}" }, { path: "/{a:min(3)}" })).toBe(1);
  });

  it("are not those that something tells apart", () => {
    expect(tiesOf({ path: "/a" }, { path: "/b" }, { path: "/{x}" }, { path: "/{x:int}" }, { path: "/{**x}" })).toBe(0);
    expect(tiesOf({ path: "/a", methods: ["GET"] }, { path: "/a", methods: ["PUT"] }, { path: "/a" })).toBe(0);
    expect(tiesOf({ hosts: ["a.test"] }, { hosts: ["a.test:80"] }, { hosts: ["*.test"] }, { hosts: ["*"] })).toBe(0);
    expect(tiesOf({ path: "/a", ...header("x", "1") }, { path: "/a", ...header("x", "2") })).toBe(0);
    expect(tiesOf({ path: "/a{x}" }, { path: "/b{x}" })).toBe(0);
    expect(tiesOf({ path: "/{x:int}" }, { path: "/{x:alpha}" })).toBe(0);
  });

  it("are not those with another order", () => {
    const routes = [route("a", { path: "/a" }, { order: 1 }), route("b", { path: "/a" })];
    expect(tableOf(routes).issues).toEqual([]);
    expect(winnerOf(tableOf(routes), { path: "/a" })).toBe("b");
  });

  it("are found among 10,000 routes without comparing each with each", () => {
    const routes: RouteConfig[] = [];
    for (let i = 0; i < 10_000; i++) routes.push(route(`r${i}`, { path: "/a", ...header("x-tenant", `t${i % 9_999}`) }));
    const before = process.cpuUsage().user;
    expect(tableOf(routes).issues).toHaveLength(1);
    // All pairs would be 50 million comparisons, many times this on any machine.
    expect(process.cpuUsage().user - before).toBeLessThan(20_000_000);
  });
});
