/** What editors are told of transforms is what the catalogue takes: manual and schema are one source, held against the factories here. */
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import type { ConfigIssue } from "@proxy/config";
import type { TransformConfig } from "@proxy/pipeline";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import { generateTransformSchema, manualEntries } from "../src/transforms/manual/write-manual.ts";

const catalogue = transformCatalogue();
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(generateTransformSchema());

function codes(transform: TransformConfig): string[] {
  const issues: ConfigIssue[] = [];
  planTransforms({ routeId: "r", match: { path: "/{**rest}" }, transforms: [transform] }, catalogue, issues);
  return issues.filter((issue) => issue.severity === "error").map((issue) => issue.code);
}

describe.each(manualEntries.map((entry) => [entry.key, entry] as const))("%s", (key, { example, settings = [], takesIf = true, value }) => {
  it("has an example that the schema takes, and no other key", () => {
    expect(validate(example.transform)).toBe(true);
    expect(validate({ ...example.transform, Nonsense: "x" })).toBe(false);
    expect(validate({})).toBe(false);
  });

  it("takes the keys that are told, and no other", () => {
    const all = Object.fromEntries(settings.map(({ name }) => [name, "x"]));
    expect(codes({ ...all, ...example.transform })).not.toContain("too-many-parameters");
    expect(codes({ ...example.transform, Nonsense: "x" })).toContain("too-many-parameters");
  });

  it("takes If where that is told", () => {
    const conditional = { ...example.transform, If: "method GET" };
    expect(validate(conditional)).toBe(takesIf);
    expect(codes(conditional).includes("if-not-possible")).toBe(!takesIf);
  });

  it("takes each of the values that are told", () => {
    for (const each of value.values ?? []) {
      expect(codes({ ...example.transform, [key]: each })).toEqual([]);
      expect(validate({ ...example.transform, [key]: each })).toBe(true);
    }
    if (value.values !== undefined) expect(validate({ ...example.transform, [key]: "nonsense" })).toBe(false);
    for (const { name, values = [] } of settings) {
      // What excludes it stays out.
      const { Set: _set, SetJson: _json, ...rest } = example.transform;
      const alone = name === "Remove" ? rest : example.transform;
      for (const each of values) {
        expect([name, each, codes({ ...alone, [name]: each } as TransformConfig)]).toEqual([name, each, []]);
        expect(validate({ ...alone, [name]: each })).toBe(true);
      }
    }
  });
});

it("numbers and truth values may stand as what they are", () => {
  expect(validate({ RequestHeadersCopy: false })).toBe(true);
  expect(validate({ RedirectToHttps: 308, Port: 8443 })).toBe(true);
});
