import { describe, expect, it } from "vitest";
import { requestOf, route, tableOf } from "./support.ts";

describe("an explanation", () => {
  it("says of every route in matching order why it wins or not", () => {
    const table = tableOf([
      route("other-path", { path: "/b" }),
      route("constraint", { path: "/{x:int}" }),
      route("method", { path: "/a", methods: ["PUT"] }),
      route("host", { path: "/a", hosts: ["h.test"] }),
      route("wide", { path: "/a", hosts: ["*"] }),
      route("header", { path: "/a", headers: [{ name: "x", mode: "Exists" }, { name: "y", values: ["1"] }] }),
      route("query", { path: "/a", queryParameters: [{ name: "q", values: ["1"] }] }),
      route("winner", { path: "/a", hosts: ["localhost"] }),
      route("late", { path: "/{**all}" }),
    ]);
    const explained = table.explain(requestOf({ path: "/a", headers: [["x", "1"]] }));
    expect(explained.map(({ config, outcome, rule, by }) => [config.routeId, outcome, rule ?? by])).toEqual([
      ["method", "method", undefined],
      ["host", "host", undefined],
      ["wide", "less-specific-host", "winner"],
      ["winner", "wins", undefined],
      ["header", "header", 1],
      ["query", "query", 0],
      ["other-path", "path", undefined],
      ["constraint", "path", undefined],
      ["late", "shadowed", "winner"],
    ]);
    expect(explained.find(({ outcome }) => outcome === "header")?.detail).toContain("y ExactHeader 1");
  });
});
