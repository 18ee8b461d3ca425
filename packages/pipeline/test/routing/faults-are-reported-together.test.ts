import { describe, expect, it } from "vitest";
import { ConfigError } from "@proxy/config";
import type { ConfigIssue, RouteConfig } from "@proxy/config";
import { createRouteValidator, routeValidator } from "../../src/routing/index.ts";
import { requestOf, route, tableOf, winnerOf } from "./support.ts";

async function issuesOf(config: RouteConfig, validator = routeValidator): Promise<ConfigIssue[]> {
  return [...((await validator.validateRoute?.(config)) ?? [])];
}

describe("the route validator", () => {
  it("reports every constraint that is wrong, with what is known", async () => {
    const issues = await issuesOf(route("r1", { path: "/{a:itn}/{b:length(3,2)}/{c:regex((?=x))}/{d:int(3)}/{e:min(x)}" }));
    expect(issues.map(({ code }) => code)).toEqual([
      "constraint-unknown",
      "constraint-arguments",
      "constraint-regex",
      "constraint-arguments",
      "constraint-arguments",
    ]);
    expect(issues[0]).toMatchObject({ severity: "error", entity: { kind: "route", id: "r1" }, path: ["Match", "Path"], value: "itn" });
    expect(issues[0]?.hint).toContain("int");
    expect(issues[2]?.hint).toContain("linear");
  });

  it("names the template that cannot be parsed", async () => {
    const [issue] = await issuesOf(route("route1", { path: "/{***a}" }));
    expect(issue).toMatchObject({ code: "path-invalid" });
    expect(issue?.message).toContain("/{***a}");
    expect(issue?.message).toContain("route1");
  });

  it("leaves holes and bad hosts to the configuration", async () => {
    const match = { path: "/a", hosts: [null, "::"], headers: [null], queryParameters: [{}] };
    // What a file can hold where the type says otherwise.
    await expect(issuesOf({ routeId: "r", match } as unknown as RouteConfig)).resolves.toEqual([]);
    await expect(issuesOf({ routeId: "r" } as unknown as RouteConfig)).resolves.toEqual([]);
  });

  it("warns of ties in the whole configuration", async () => {
    const routes = [route("a", { path: "/x" }), route("b", { path: "/{" }), route("c", { path: "/x" })];
    const issues = await routeValidator.validateConfig?.({ routes, clusters: [], revisionId: "1" });
    expect([...(issues ?? [])]).toMatchObject([{ code: "route-tie", entity: { id: "c" } }]);
  });

  it("knows the constraints that are registered", async () => {
    const even = createRouteValidator({ constraints: { Even: () => (value) => Number(value) % 2 === 0 } });
    const config = route("r", { path: "/{a:even}" });
    await expect(issuesOf(config, even)).resolves.toEqual([]);
    await expect(issuesOf(config)).resolves.toMatchObject([{ code: "constraint-unknown" }]);
  });
});

describe("compiling a table", () => {
  it("throws one error that holds all faults of all routes", () => {
    const routes = [route("a", { path: "/{" }), route("b", { hosts: ["::"] }), route("c", { path: "/{x:nope}" })];
    try {
      tableOf(routes);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map(({ code }) => code)).toEqual(["path-invalid", "host-invalid", "constraint-unknown"]);
    }
  });

  it("refuses match values that are empty, and holes", () => {
    const bad = { path: "/", headers: [{ name: "x", values: [""] }], queryParameters: [{ name: "q", values: ["a", ""] }] };
    expect(() => tableOf([route("r", bad), { routeId: "s" } as unknown as RouteConfig])).toThrow(
      expect.objectContaining({
        issues: [
          expect.objectContaining({ code: "header-value-empty" }),
          expect.objectContaining({ code: "query-value-empty" }),
          expect.objectContaining({ code: "match-invalid" }),
        ],
      }),
    );
  });
});

describe("constraints", () => {
  it("of users that throw do not accept, and may ask the table", () => {
    const inner = tableOf([route("inner", { path: "/{**x}" })]);
    let self: typeof inner | undefined;
    const table = tableOf([route("r", { path: "/{a:odd}/{b:again}" }), route("rest", { path: "/{**all}" })], {
      constraints: {
        odd: () => (value) => {
          if (value === "boom") throw new Error("boom");
          return true;
        },
        again: () => (value) => value === "x" && self?.match(requestOf({ path: "/q" })).kind === "matched",
      },
    });
    self = table;
    expect(winnerOf(table, { path: "/boom/x" })).toBe("rest");
    expect(winnerOf(table, { path: "/a/x" })).toBe("r");
  });

  it("with expressions that make others hang take linear time", () => {
    const table = tableOf([route("r", { path: "/{a:regex(^(a+)+$)}" })]);
    const before = process.cpuUsage().user;
    expect(winnerOf(table, { path: `/${"a".repeat(5_000)}!` })).toBe(null);
    expect(process.cpuUsage().user - before).toBeLessThan(10_000_000);
  });
});
