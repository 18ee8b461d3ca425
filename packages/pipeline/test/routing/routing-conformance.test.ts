import { afterAll, describe, expect, it } from "vitest";
import type { RouteHeader, RouteMatch, RouteQueryParameter } from "@proxy/config";
import { loadArea } from "@proxy/conformance";
import type { ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { ConstraintCatalogue } from "../../src/routing/constraint-catalogue.ts";
import { ConstraintError } from "../../src/routing/constraint.ts";
import { compareRoutes, compileRoute } from "../../src/routing/compiled-route.ts";
import type { CompiledRoute } from "../../src/routing/compiled-route.ts";
import { parseHostPattern } from "../../src/routing/host-pattern.ts";
import { parseTemplate, TemplateError } from "../../src/routing/index.ts";
import { encodePath, requestOf, route, tableOf, winnerOf } from "./support.ts";

/** Cases that a row of the deviations decides otherwise; the tests of the better behaviour stand in routes-that-tie. */
const superseded: Readonly<Record<string, string>> = {
  "routing-path.ambiguous.00fca9be": "D7",
  "routing-path.ambiguous.2d889394": "D7",
};

function area(name: string, check: (given: Given, expected: Given) => void): void {
  const { cases } = loadArea(name);
  const outcome = { held: 0, superseded: 0, failed: 0 };
  describe(`conformance ${name}`, () => {
    for (const one of cases) {
      const row = superseded[one.id];
      if (row !== undefined) outcome.superseded++;
      else it(one.id, () => counted(one, check, outcome));
    }
    afterAll(() => reportArea(name, outcome));
  });
}

function counted(one: ConformanceCase, check: (given: Given, expected: Given) => void, outcome: { held: number; failed: number }): void {
  outcome.failed++;
  check(one.given, one.expect);
  outcome.failed--;
  outcome.held++;
}

// The shapes of the cases differ by kind; the tables' own paragraphs describe them.
type Given = ConformanceCase["given"];

area("routing-path", (given, expected) => {
  switch (given.kind) {
    case "match": {
      const result = tableOf([route("r", { path: given.template })]).match(requestOf({ path: encodePath(given.path) }));
      expect(result.kind === "matched").toBe(expected.matches);
      if (result.kind === "matched" && expected.values !== undefined) {
        expect(Object.fromEntries(result.values)).toEqual(expected.values);
      }
      return;
    }
    case "select": {
      const table = tableOf(given.routes.map((one: Given) => route(one.id, { path: one.path }, { order: one.order })));
      expect(winnerOf(table, { path: encodePath(given.path) })).toBe(expected.route);
      return;
    }
    case "compare": {
      const compared = compareRoutes(compiled({ path: given.first }), compiled({ path: given.second }));
      expect(compared < 0 ? "before" : compared === 0 ? "equal" : "after").toBe(expected.relation);
      return;
    }
    case "template":
      checkTemplate(given, expected);
      return;
    case "constraint":
      if (expected.error !== undefined) {
        expect(() => new ConstraintCatalogue().resolve(given.constraint)).toThrow(ConstraintError);
        return;
      }
      expect(new ConstraintCatalogue().resolve(given.constraint)(given.value)).toBe(expected.accepts);
      return;
    case "route": {
      const { order, template } = compiled({ path: given.route.Path, hosts: given.route.Hosts }, given.route.Order);
      expect({ effectivePath: template.text, effectiveOrder: order }).toEqual(expected);
      return;
    }
    default:
      throw new Error(`unknown kind ${given.kind}`);
  }
});

function checkTemplate(given: Given, expected: Given): void {
  if (!expected.valid) {
    const parse = (): unknown => parseTemplate(given.template);
    expect(parse).toThrow(TemplateError);
    expect(parse).toThrow(expect.objectContaining({ reason: expected.reason }));
    return;
  }
  const { parameters } = parseTemplate(given.template);
  if (expected.parameters === undefined) return;
  expect(
    parameters.map(({ name, catchAll, encodeSlashes, optional, default: fallback, constraints }) => ({
      name,
      catchAll,
      encodeSlashes,
      optional,
      constraints,
      default: fallback ?? null,
    })),
  ).toEqual(expected.parameters);
}

area("routing-host", (given, expected) => {
  if (given.kind === "pattern") {
    const parse = (): unknown => parseHostPattern(given.host);
    if (expected.valid) expect(parse).not.toThrow();
    else expect(parse).toThrow();
    return;
  }
  const request = { authority: given.request.host ?? "", scheme: given.request.scheme };
  if (given.kind === "match") {
    expect(winnerOf(tableOf([route("r", { path: "/", hosts: given.hosts ?? undefined })]), request) !== null).toBe(expected.matches);
    return;
  }
  const table = tableOf(given.routes.map((one: Given) => route(one.id, { path: "/", hosts: one.hosts ?? undefined })));
  expect(winnerOf(table, request)).toBe(expected.route);
});

area("routing-methods", (given, expected) => {
  const table = tableOf(
    given.routes.map((one: Given) => route(one.id, { path: one.path, methods: one.methods }, { corsPolicy: one.corsPolicy })),
  );
  const { method, path, headers } = given.request;
  const result = table.match(requestOf({ method, path, headers: Object.entries(headers ?? {}) }));
  if (expected.route !== null) {
    expect(result).toMatchObject({ kind: "matched", payload: expected.route });
    return;
  }
  expect(result.kind).toBe(expected.status === 405 ? "method-not-allowed" : "not-found");
  if (expected.allow !== undefined) expect(result).toHaveProperty("allow", expected.allow);
});

area("routing-headers", (given, expected) => {
  switch (given.kind) {
    case "match": {
      const table = tableOf([route("r", { path: "/", headers: given.rules.map(headerOf) })]);
      expect(winnerOf(table, { headers: given.request.headers }) !== null).toBe(expected.matches);
      return;
    }
    case "select": {
      const table = tableOf(
        given.routes.map((one: Given) =>
          route(one.id, { path: one.path, methods: one.methods, hosts: one.hosts, headers: one.headers?.map(headerOf) }),
        ),
      );
      const url = new URL(given.request.url);
      const { method, headers } = given.request;
      expect(winnerOf(table, { method, path: url.pathname, query: url.search, authority: url.host, headers })).toBe(expected.route);
      return;
    }
    case "rank": {
      const [first, second] = [given.first, given.second].map((rules) => compiled({ path: "/", headers: rules.map(headerOf) }));
      checkRank(first as CompiledRoute, second as CompiledRoute, expected.relation);
      return;
    }
    case "effective": {
      const [rule] = compiled({ path: "/", headers: [{ name: given.rule.name, mode: given.rule.mode }] }).headers;
      expect({ values: rule?.values, mode: rule?.mode === "exists" ? "Exists" : rule?.mode, caseSensitive: !rule?.ignoreCase }).toEqual(expected);
      return;
    }
    default:
      throw new Error(`unknown kind ${given.kind}`);
  }
});

area("routing-query", (given, expected) => {
  if (given.kind === "match") {
    const table = tableOf([route("r", { path: "/", queryParameters: given.rules.map(queryOf) })]);
    expect(winnerOf(table, { query: given.request.query }) !== null).toBe(expected.matches);
    return;
  }
  const [first, second] = [given.first, given.second].map((rules) => compiled({ path: "/", queryParameters: rules.map(queryOf) }));
  checkRank(first as CompiledRoute, second as CompiledRoute, expected.relation);
});

function checkRank(first: CompiledRoute, second: CompiledRoute, relation: string): void {
  const compared = compareRoutes(first, second);
  expect(compared < 0 ? "before" : compared === 0 ? "equal" : "after").toBe(relation);
}

function headerOf(rule: Given): RouteHeader {
  return { name: rule.name, values: rule.values ?? undefined, mode: rule.mode, isCaseSensitive: rule.caseSensitive };
}

function queryOf(rule: Given): RouteQueryParameter {
  return { name: rule.name, values: rule.values ?? undefined, mode: rule.mode, isCaseSensitive: rule.caseSensitive };
}

function compiled(match: RouteMatch, order?: number): CompiledRoute {
  const one = compileRoute(route("r", match, { order }), 0, new ConstraintCatalogue(), []);
  if (one === undefined) throw new Error("route does not compile");
  return one;
}
