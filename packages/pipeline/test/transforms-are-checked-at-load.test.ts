/** The faults that the conformance table names, for the transforms that there are. */
import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import { loadArea } from "@proxy/conformance";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";

const catalogue = transformCatalogue();

function faultsOf(transforms: readonly Readonly<Record<string, string>>[]): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  planTransforms({ routeId: "r", match: { path: "/" }, transforms }, catalogue, issues);
  return issues.filter((issue) => issue.severity === "error");
}

const served = loadArea("transforms-validation").cases.filter(({ given }) => {
  const transforms: Record<string, string>[] = given.transforms ?? [];
  const shaped = transforms.every((each) => Object.keys(each).length > 0);
  const wellKnown = transforms.some((each) => Object.keys(each).some((key) => catalogue.keyed.has(key.toLowerCase())));
  return given.cluster === undefined && shaped && (wellKnown || transforms.length > 1);
});

describe("faults in transforms", () => {
  it.each(served.map((each) => [each.id, each.title, each] as const))("%s: %s", (_id, _title, { given, expect: expected }) => {
    const issues = faultsOf(given.transforms);
    expect(issues.map((issue) => issue.code)).toEqual(expected.errors.map((error: { code: string }) => error.code));
    expected.errors.forEach((error: { mentions: string[] }, index: number) => {
      for (const mentioned of error.mentions) expect(issues[index]?.message).toContain(mentioned);
    });
  });

  it("name the forms that there are when one is not known", () => {
    const [issue] = faultsOf([{ PathPrefixx: "/x" }]);
    expect(issue).toMatchObject({ code: "unknown-transform", path: ["Transforms", 0], entity: { kind: "route", id: "r" } });
    expect(issue?.hint).toContain("PathPrefix, PathRemovePrefix");
  });

  it("are names and values that cannot stand in a field line", () => {
    expect(faultsOf([{ RequestHeader: "a b", Set: "x" }])[0]?.code).toBe("bad-header-name");
    expect(faultsOf([{ ResponseHeader: "a", Set: "x\r\ny: z" }])[0]?.code).toBe("bad-header-value");
    expect(faultsOf([{ RequestHeader: "a", Append: "Ω" }])[0]?.code).toBe("bad-header-value");
  });

  it("are templates and methods that are none", () => {
    expect(faultsOf([{ PathPattern: "/{a" }])[0]?.code).toBe("bad-path-pattern");
    expect(faultsOf([{ HttpMethodChange: "GET", Set: "no method" }])[0]?.code).toBe("bad-method");
  });
});
