import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RouteConfig } from "@proxy/config";
import { requestOf, tableOf } from "./support.ts";
import type { RequestParts } from "./support.ts";

/** A segment of a path, described so that the reference needs no template parser. */
type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "parameter"; readonly int: boolean; readonly optional: boolean; readonly fallback: boolean }
  | { readonly kind: "prefixed"; readonly prefix: string };

interface Model {
  readonly segments: readonly Segment[];
  readonly catchAll: "none" | "free" | "int";
  readonly order: number;
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
  readonly headers: readonly string[];
  readonly query: readonly string[];
}

const text = fc.constantFrom("a", "b", "ab", "7", "é");
const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.record({ kind: fc.constant("literal" as const), text }),
  fc.record({ kind: fc.constant("parameter" as const), int: fc.boolean(), optional: fc.boolean(), fallback: fc.boolean() }),
  fc.record({ kind: fc.constant("prefixed" as const), prefix: fc.constantFrom("a", "x-") }),
);
const host = fc.constantFrom("h.test", "h.test:81", "*.h.test", "*.w.h.test", "*.h.test:81", "*", "*:81");
const model: fc.Arbitrary<Model> = fc.record({
  segments: fc.array(segment, { maxLength: 3 }),
  catchAll: fc.constantFrom("none", "none", "free", "int"),
  order: fc.constantFrom(0, 0, 0, -1, 1),
  methods: fc.oneof(fc.constant([]), fc.subarray(["GET", "POST"])),
  hosts: fc.oneof(fc.constant([]), fc.uniqueArray(host, { maxLength: 2 })),
  headers: fc.oneof(fc.constant([]), fc.subarray(["x-a", "x-b"])),
  query: fc.oneof(fc.constant([]), fc.subarray(["qa", "qb"])),
});
const request: fc.Arbitrary<Required<Omit<RequestParts, "scheme">>> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "get"),
  path: fc
    .array(fc.constantFrom("a", "b", "ab", "7", "A", "%61", "x-a", "%C3%A9", "", "%zz"), { maxLength: 5 })
    .map((segments) => `/${segments.join("/")}`),
  query: fc.constantFrom("", "?qa=1", "?qb=1&qa=1", "?qa="),
  authority: fc.constantFrom("h.test", "H.test:81", "v.h.test", "x.w.h.test:81", "x.w.h.test", "other:81", "other", ""),
  headers: fc.subarray([["X-A", "1"], ["x-b", "1"]] as [string, string][]),
});

describe("a compiled table", () => {
  it("finds what trying all routes in order finds", () => {
    fc.assert(
      fc.property(fc.array(model, { minLength: 1, maxLength: 8 }), fc.array(request, { minLength: 1, maxLength: 8 }), (models, requests) => {
        const table = tableOf(models.map(configOf));
        for (const one of requests) {
          const result = table.match(requestOf(one));
          const got = result.kind === "matched" ? result.payload : result.kind === "not-found" ? 404 : result.allow;
          expect(got).toEqual(reference(models, one));
          const winner = table.explain(requestOf(one)).find(({ outcome }) => outcome === "wins")?.config.routeId;
          expect(winner).toEqual(result.kind === "matched" ? result.payload : undefined);
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

function configOf(route: Model, index: number): RouteConfig {
  const segments = route.segments.map((one, i) => {
    if (one.kind === "literal") return one.text;
    if (one.kind === "prefixed") return `${one.prefix}{p${i}}`;
    return `{p${i}${one.int ? ":int" : ""}${one.optional ? "?" : one.fallback ? "=7" : ""}}`;
  });
  if (route.catchAll !== "none") segments.push(route.catchAll === "int" ? "{**rest:int}" : "{**rest}");
  const { methods, hosts, headers, query, order } = route;
  return {
    routeId: `r${index}`,
    order,
    match: {
      path: `/${segments.join("/")}`,
      methods,
      hosts,
      headers: headers.map((name) => ({ name, mode: "Exists" })),
      queryParameters: query.map((name) => ({ name, mode: "Exists" })),
    },
  };
}

/** The rules of matching, one after the other, without any index. */
function reference(models: readonly Model[], one: Required<Omit<RequestParts, "scheme">>): string | number {
  const method = one.method.toUpperCase();
  const shaped = models.map((route, index) => ({ route, index, fit: pathFit(route, one.path), host: bestHost(route, one.authority) }));
  const known = shaped.filter(({ fit, host: place }) => fit !== "no" && place !== undefined);
  const reachable = known.filter(({ fit, route }) => fit === "yes" && accepts(route, method));
  const most = Math.max(...reachable.map(({ host: place }) => place ?? 0));
  const winner = reachable
    .filter(({ host: place }) => place === most || place === 0)
    .filter(({ route }) => rulesHold(route, one))
    .sort((a, b) => compare(a.route, b.route) || a.index - b.index)[0];
  if (winner !== undefined) return `r${winner.index}`;
  if (known.some(({ route }) => accepts(route, method))) return 404;
  const allowed = new Set(known.filter(({ fit }) => fit === "yes").flatMap(({ route }) => route.methods));
  return allowed.size === 0 ? 404 : [...allowed].sort().join(", ");
}

function accepts({ methods }: Model, method: string): boolean {
  return methods.length === 0 || methods.includes(method);
}

/** "shape": the path has the form, but a constraint or a segment of several parts refuses it. */
function pathFit({ segments, catchAll }: Model, path: string): "yes" | "shape" | "no" {
  const given = path.slice(1).split("/");
  if (given.at(-1) === "") given.pop();
  let refused = false;
  for (const [i, one] of segments.entries()) {
    const raw = given[i];
    if (raw === undefined) {
      const rest = segments.slice(i);
      if (!rest.every((each) => each.kind === "parameter" && (each.optional || each.fallback))) return "no";
      refused ||= catchAll === "int";
      return refused ? "shape" : "yes";
    }
    if (raw === "") return "no";
    const value = decode(raw);
    if (one.kind === "literal" && value.toLowerCase() !== one.text) return "no";
    if (one.kind === "prefixed") refused ||= !value.toLowerCase().startsWith(one.prefix) || value.length === one.prefix.length;
    if (one.kind === "parameter" && one.int) refused ||= value !== "7";
  }
  const more = given.length > segments.length;
  if (catchAll === "none" && more) return "no";
  if (catchAll === "int") refused ||= given.slice(segments.length).join("/") + (more && path.endsWith("/") ? "/" : "") !== "7";
  return refused ? "shape" : "yes";
}

function decode(raw: string): string {
  return raw === "%zz" ? raw : decodeURIComponent(raw);
}

/** How specific the best host of the route is: 0 for a route without hosts, undefined when none fits. */
function bestHost({ hosts }: Model, authority: string): number | undefined {
  if (hosts.length === 0) return 0;
  const [name = "", port = "80"] = authority.toLowerCase().split(":");
  const kinds = ["*", "*:81", "*.h.test", "*.w.h.test", "*.h.test:81", "h.test", "h.test:81"];
  const fitting = hosts.filter((pattern) => {
    const [wanted = "", wantedPort] = pattern.split(":");
    if (wantedPort !== undefined && wantedPort !== port) return false;
    if (wanted === "*") return true;
    return wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted;
  });
  return fitting.length === 0 ? undefined : Math.max(...fitting.map((pattern) => kinds.indexOf(pattern) + 1));
}

function rulesHold({ headers, query }: Model, one: Required<Omit<RequestParts, "scheme">>): boolean {
  const names = one.headers.map(([name]) => name.toLowerCase());
  return headers.every((name) => names.includes(name)) && query.every((name) => one.query.includes(`${name}=1`));
}

function compare(a: Model, b: Model): number {
  const [left, right] = [digits(a), digits(b)];
  return (
    a.order - b.order ||
    (left < right ? -1 : left > right ? 1 : 0) ||
    Math.sign(b.methods.length) - Math.sign(a.methods.length) ||
    Math.sign(b.hosts.length) - Math.sign(a.hosts.length) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length
  );
}

function digits({ segments, catchAll }: Model): string {
  const each = segments.map((one) => (one.kind === "literal" ? "1" : one.kind === "prefixed" || one.int ? "2" : "3"));
  return each.join("") + { none: "", free: "5", int: "4" }[catchAll];
}
