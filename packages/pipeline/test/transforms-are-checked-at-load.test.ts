import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";

const catalogue = transformCatalogue();

function faultsOf(transforms: readonly Readonly<Record<string, string>>[]): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  planTransforms({ routeId: "r", match: { path: "/" }, transforms }, catalogue, issues);
  return issues.filter((issue) => issue.severity === "error");
}

describe("faults in transforms", () => {
  it("name the forms that there are when one is not known", () => {
    const [issue, near] = faultsOf([{ Nonsense: "/x" }, { PathRemovePrefx: "/x" }]);
    expect(issue).toMatchObject({ code: "unknown-transform", path: ["Transforms", 0], entity: { kind: "route", id: "r" } });
    expect(issue?.hint).toContain("PathPrefix, PathRegex, PathRemovePrefix");
    expect(near?.hint).toBe("did you mean 'PathRemovePrefix'?");
  });

  it("say what a form takes", () => {
    expect(faultsOf([{ "X-Forwarded": "Set", Fro: "Off" }])[0]?.hint).toBe("it takes For, Host, Proto, Prefix, HeaderPrefix");
    expect(faultsOf([{ PathSet: "/a", Set: "/b" }])[0]?.hint).toBe("it takes no other key");
    expect(faultsOf([{ RequestHeader: "X", Sett: "1" }])[0]?.hint).toBe("it has Sett");
  });

  it("are warnings where a route value is named that the path never captures", () => {
    const warnings = (path: string | undefined, transform: Record<string, string>): unknown[] => {
      const issues: ConfigIssue[] = [];
      planTransforms({ routeId: "r", match: { path }, transforms: [transform] }, catalogue, issues);
      return issues.map(({ code, severity, hint }) => [code, severity, hint]);
    };
    const told = ["unknown-route-value", "warning", "its path captures a, rest"];
    for (const form of [{ QueryRouteParameter: "q", Set: "b" }, { RequestHeaderRouteValue: "X", Append: "b" }, { PathPattern: "/x/{b}" }]) {
      expect(warnings("/{a}/{**rest}", form as Record<string, string>)).toEqual([told]);
      expect(warnings("/{B}", form as Record<string, string>)).toEqual([]);
      expect(warnings("/{", form as Record<string, string>)).toEqual([]);
    }
    expect(warnings(undefined, { QueryRouteParameter: "q", Set: "b" })).toEqual([["unknown-route-value", "warning", "its path captures none: write {name} into it"]]);
    expect(warnings("/", { PathPattern: "/{b=1}/{c?}" })).toEqual([]);
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

  it("are fields that the wire owns, and a second Host", () => {
    for (const name of ["Connection", "transfer-encoding", "Content-Length", "TE", "Upgrade"]) {
      expect(faultsOf([{ RequestHeader: name, Set: "x" }])[0]?.code).toBe("framing-header");
      expect(faultsOf([{ RequestHeaderRouteValue: name, Set: "x" }])[0]?.code).toBe("framing-header");
      expect(faultsOf([{ ResponseHeader: name, Append: "x" }])[0]?.code).toBe("framing-header");
      expect(faultsOf([{ ResponseTrailer: name, Set: "x" }])[0]?.code).toBe("framing-header");
      expect(faultsOf([{ ClientCert: name }])[0]?.code).toBe("framing-header");
      expect(faultsOf([{ ClientAddress: name }])[0]?.code).toBe("framing-header");
    }
    expect(faultsOf([{ RequestHeader: "Host", Append: "x" }])[0]?.code).toBe("bad-header-value");
    expect(faultsOf([{ RequestHeader: "Host", Set: "a,b" }])[0]?.code).toBe("bad-header-value");
    expect(faultsOf([{ "X-Forwarded": "Set", HeaderPrefix: "" }])[0]?.code).toBe("bad-header-name");
  });

  it("are paths that lead elsewhere, and a CONNECT", () => {
    expect(faultsOf([{ PathSet: "/a/../b" }])[0]?.code).toBe("bad-path");
    expect(faultsOf([{ PathPrefix: "/%2e%2E" }])[0]?.code).toBe("bad-path");
    expect(faultsOf([{ PathPrefix: "/a%00" }])[0]?.code).toBe("bad-path");
    expect(faultsOf([{ HttpMethodChange: "GET", Set: "connect" }])[0]?.code).toBe("bad-method");
  });
});
