import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConstraintCatalogue } from "../../src/routing/constraint-catalogue.ts";
import { captureValues, parseTemplate, TemplateError, writeTemplate } from "../../src/routing/index.ts";
import { builtInConstraints } from "../../src/routing/built-in-constraints.ts";
import { requestOf, route, tableOf } from "./support.ts";

const bytes = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("/", "%", "2", "F", "f", "e", "E", "a", "A", ".", "-", "?", "&", "=", "+", '"', ",", ":", "[", "]", "\u0000", "ÿ", "İ", "\ud800") }),
);
const braces = fc.string({ unit: fc.constantFrom("/", "{", "}", "*", "?", ":", "=", "(", ")", "a", "b", ".", "~", "int") });

const table = tableOf([
  route("literal", { path: "/a/é/b" }),
  route("parameters", { path: "/{a:int}/{b?}" }),
  route("complex", { path: "/x/{name}.{extension?}" }),
  route("regex", { path: "/r/{a:regex(^a+$)}/{b:datetime}/{c:guid}/{d:double}" }),
  route("hosts", { path: "/h/{**rest:maxlength(9)}", hosts: ["a.test", "*.a.test:81", "*:82", "é.test"] }),
  route("rules", {
    path: "/{**rest}",
    methods: ["GET"],
    headers: [{ name: "a", values: ['x"', "é"] }, { name: "cookie", mode: "NotContains", values: ["y"] }],
    queryParameters: [{ name: "q", values: ["1"], mode: "Prefix" }],
  }),
]);

describe("matching", () => {
  it("never throws, whatever the bytes of a request", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, bytes, bytes, (path, query, authority, value, method) => {
        for (const front of ["/", "/x/", "/r/", "/h/", ""]) {
          const result = table.match(
            requestOf({ path: front + path, query, authority, method, headers: [["a", value], ["cookie", value]] }),
          );
          if (result.kind === "matched") expect(() => [...result.values]).not.toThrow();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws in a constraint", () => {
    const catalogue = new ConstraintCatalogue();
    const texts = ["length(2)", "range(1,5)", "min(3)", "max(3)", "minlength(1)", "maxlength(2)", "regex(a|b)"];
    const plain = builtInConstraints.map(([name]) => name).filter((name) => !texts.some((text) => text.startsWith(`${name}(`)));
    const constraints = [...texts, ...plain].map((text) => catalogue.resolve(text));
    fc.assert(
      fc.property(fc.oneof(bytes, fc.constant(null)), (value) => {
        for (const accepts of constraints) expect(typeof accepts(value)).toBe("boolean");
      }),
    );
  });
});

describe("parsing a template", () => {
  it("gives a template or a TemplateError", () => {
    fc.assert(
      fc.property(fc.oneof(braces, bytes), bytes, (text, path) => {
        try {
          const template = parseTemplate(text);
          const values = captureValues(template, `/${path}`);
          if (values !== undefined) writeTemplate(template, values);
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
