import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { captureValues, parseTemplate, routeValuesOf, writeTemplate } from "../../src/routing/index.ts";
import { requestOf, route, tableOf, winnerOf } from "./support.ts";

function captured(template: string, path: string): Record<string, string | null> | undefined {
  const values = captureValues(parseTemplate(template), path);
  return values === undefined ? undefined : Object.fromEntries(values);
}

describe("values of a path", () => {
  it("are decoded, except for %2F; the raw text is there as well", () => {
    const values = captureValues(parseTemplate("/{a}/{**rest}"), "/x%20y/%41%2fb/%C3%A9/%zz%FF");
    expect(values?.get("A")).toBe("x y");
    expect(values?.get("rest")).toBe("A%2fb/é/%zz%FF");
    expect(values?.getRaw("rest")).toBe("%41%2fb/%C3%A9/%zz%FF");
  });

  it("of several parts keep their encoding", () => {
    const values = captureValues(parseTemplate("/{name}.{ext}"), "/a%2Fb%2Ec.%C3%A9");
    expect(values?.get("name")).toBe("a%2Fb.c");
    expect(values?.getRaw("name")).toBe("a%2Fb%2Ec");
    expect(values?.getRaw("ext")).toBe("%C3%A9");
  });

  it("can have names that objects are careful with", () => {
    expect(captureValues(parseTemplate("/{__proto__}/{constructor}"), "/a/b")?.get("__proto__")).toBe("a");
    expect(captureValues(parseTemplate("/x"), "/x")?.get("constructor")).toBeUndefined();
  });

  it("distinguish nothing from no value", () => {
    expect(captured("/{a?}", "/")).toEqual({});
    expect(captured("/{**a}", "/")).toEqual({ a: null });
    expect(captured("/{a=b}", "/")).toEqual({ a: "b" });
  });

  it("are those of the route that won", () => {
    const result = tableOf([route("r", { path: "/f/{name}.{ext?}" })]).match(requestOf({ path: "/F/a.b" }));
    expect(result.kind === "matched" && [...result.values]).toEqual([["name", "a"], ["ext", "b"]]);
  });
});

describe("literals", () => {
  it("match what is encoded, in any letter case, but never a slash that is encoded", () => {
    const table = tableOf([route("r", { path: "/Ab/é{{x}}/50%" })]);
    expect(winnerOf(table, { path: "/a%42/%C3%89%7bX%7D/50%25" })).toBe("r");
    expect(winnerOf(table, { path: "/a%42/%C3%A9%7Bx%7D/50%" })).toBe("r");
    expect(winnerOf(tableOf([route("r", { path: "/a/b" })]), { path: "/a%2Fb" })).toBe(null);
  });

  it("in ASCII match no other character", () => {
    const table = tableOf([route("r", { path: "/kis" })]);
    expect(winnerOf(table, { path: "/%E2%84%AAis" })).toBe(null);
    expect(winnerOf(table, { path: "/ki%C5%BF" })).toBe(null);
    expect(winnerOf(table, { path: "/k%C4%B0s" })).toBe(null);
  });

  it("do not match overlong or broken encodings", () => {
    const table = tableOf([route("r", { path: "/a" })]);
    for (const path of ["/%C1%A1", "/%E0%81%A1", "/%6", "/%", "/%u0061"]) expect(winnerOf(table, { path })).toBe(null);
  });
});

describe("writing a path", () => {
  const write = (template: string, values: Record<string, string | null> = {}): string | undefined =>
    writeTemplate(parseTemplate(template), routeValuesOf(Object.entries(values)));

  it("fills values in", () => {
    expect(write("/{a}/foo/{b}", { a: "6", b: "7", c: "8" })).toBe("/6/foo/7");
    expect(write("x-{a}.{b?}/y", { a: "é ", b: "?" })).toBe("/x-%C3%A9%20.%3F/y");
    expect(write("x-{a}.{b?}/y", { a: "1" })).toBe("/x-1/y");
  });

  it("encodes slashes, except for a catch-all with two stars", () => {
    expect(write("/{*rest}", { rest: "a/b" })).toBe("/a%2Fb");
    expect(write("/{**rest}", { rest: "a/b" })).toBe("/a/b");
    expect(write("/{one}", { one: "a/b" })).toBe("/a%2Fb");
  });

  it("drops what has no value at the end, and defaults", () => {
    expect(write("/a/{b?}")).toBe("/a");
    expect(write("/a/{**b}", { b: null })).toBe("/a");
    expect(write("/{b}")).toBe("/");
    expect(write("/a/{b=x}")).toBe("/a");
    expect(write("/a/{b=x}/{c}", { c: "1" })).toBe("/a/x/1");
  });

  it("fails where something would follow what is missing", () => {
    expect(write("/{a}/b")).toBeUndefined();
    expect(write("/x-{a}")).toBeUndefined();
  });

  it("gives back the path that the values came from", () => {
    const piece = fc.string({ minLength: 1 }).filter((text) => text.isWellFormed() && !text.includes("/"));
    fc.assert(
      fc.property(piece, piece, fc.array(piece), (a, b, rest) => {
        const path = `/${[a, `${b}x`, ...rest].map(encodeURIComponent).join("/")}`;
        const template = parseTemplate("/{a}/{b}x/{**rest}");
        const values = captureValues(template, path);
        expect(values && writeTemplate(template, values)).toBe(path);
      }),
    );
  });
});
