import { describe, expect, it } from "vitest";
import type { RouteMatch } from "@proxy/config";
import { requestOf, route, tableOf, winnerOf } from "./support.ts";

function hostOf(hosts: readonly string[], authority: string): boolean {
  return winnerOf(tableOf([route("r", { hosts })]), { authority }) !== null;
}

describe("hosts", () => {
  it("in Unicode match what comes in punycode", () => {
    expect(hostOf(["æon.contoso.com"], "xn--on-0ia.contoso.com")).toBe(true);
    expect(hostOf(["*.ünicode.test"], "a.XN--NICODE-2YA.test:99")).toBe(true);
  });

  it("of an IPv6 address are matched by patterns for every host only", () => {
    expect(hostOf(["*"], "[::1]")).toBe(true);
    expect(hostOf(["*:8080"], "[::1]:8080")).toBe(true);
    expect(hostOf(["*:80"], "[::1]")).toBe(true);
    expect(hostOf(["*:1"], "[::1]")).toBe(false);
    expect(hostOf(["*.test"], "[::1]:8080")).toBe(false);
  });

  it("with a port that is none match patterns without port only", () => {
    expect(hostOf(["a.test"], "a.test:99999")).toBe(true);
    expect(hostOf(["a.test:80"], "a.test:99999")).toBe(false);
    expect(hostOf(["a.test:80"], "a.test:")).toBe(true);
  });

  it("decide by the most specific pattern, the longest suffix among wildcards, before the order", () => {
    const table = tableOf([
      route("any", { hosts: ["*"] }, { order: -3 }),
      route("wide", { hosts: ["*.test"] }, { order: -2 }),
      route("narrow", { hosts: ["*.b.test"] }, { order: -1 }),
      route("exact", { hosts: ["a.b.test"] }),
    ]);
    expect(winnerOf(table, { authority: "a.b.test" })).toBe("exact");
    expect(winnerOf(table, { authority: "c.b.test" })).toBe("narrow");
    expect(winnerOf(table, { authority: "c.test" })).toBe("wide");
    expect(winnerOf(table, { authority: "test" })).toBe("any");
  });

  it("do not fall back from an exact host to a wildcard when a header rule fails, but to routes for every host", () => {
    const match: RouteMatch = { hosts: ["a.test"], headers: [{ name: "x", mode: "Exists" }] };
    const wild = route("wild", { hosts: ["*.test"] });
    expect(winnerOf(tableOf([route("exact", match), wild]), { authority: "a.test" })).toBe(null);
    expect(winnerOf(tableOf([route("exact", match), wild, route("all", { path: "/" })]), { authority: "a.test" })).toBe("all");
  });

  it("fall back when the path or the method of the more specific one does not fit", () => {
    const table = tableOf([
      route("exact", { hosts: ["a.test"], path: "/{id:int}", methods: ["GET"] }),
      route("wild", { hosts: ["*.test"], path: "/{name}" }),
    ]);
    expect(winnerOf(table, { authority: "a.test", path: "/1" })).toBe("exact");
    expect(winnerOf(table, { authority: "a.test", path: "/one" })).toBe("wild");
    expect(winnerOf(table, { authority: "a.test", path: "/1", method: "PUT" })).toBe("wild");
  });

  it("of another route do not make a method not allowed", () => {
    const table = tableOf([route("a", { path: "/", hosts: ["a.test"], methods: ["GET"] })]);
    expect(table.match(requestOf({ authority: "b.test", method: "PUT" })).kind).toBe("not-found");
    expect(table.match(requestOf({ authority: "a.test", method: "PUT" }))).toEqual({ kind: "method-not-allowed", allow: "GET" });
  });

  it.each(["http://a.test", "a.test/x", "a..test", ".a.test", "a.*.test", "*a.test", "*.", "a.test:0", "a.test:65536", "a b"])(
    "such as %j are refused at load",
    (host) => {
      expect(() => tableOf([route("r", { hosts: [host] })])).toThrow(
        expect.objectContaining({ issues: [expect.objectContaining({ code: "host-invalid", path: ["Match", "Hosts", 0] })] }),
      );
    },
  );
});
