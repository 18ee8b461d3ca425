/** The tables of transforms, each case through a whole proxy whose peer is trusted. */
import { afterAll, describe, expect, it } from "vitest";
import { loadArea, type ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import type { SessionAffinityPolicy } from "@proxy/cluster";
import { validateConfig, defineConfig, type ConfigIssue } from "@proxy/config";
import { HeaderList } from "@proxy/http";
import { createProxyValidator, takeHeader, type OpenTransformFactory, type TransformFactory, type TransformPlan, type TransformProvider } from "@proxy/pipeline";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import { forwardedWith } from "../src/transforms/forwarded.ts";
import type { FakeRequest } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";
import { namesOf, requestOf, runRequestPlan, sendThrough, valuesOf, type Lines, type Sent } from "./support/transform-cases.ts";

/** What each case of an area is decided by instead, by id; the better behaviour stands at the end of this file. */
type Superseded = Readonly<Record<string, string>>;

function conformance(
  area: string,
  check: (one: ConformanceCase) => Promise<void> | void,
  superseded: Superseded = {},
): void {
  describe(`conformance: ${area}`, () => {
    let held = 0;
    let failed = 0;
    const { cases } = loadArea(area);
    afterAll(() => reportArea(area, { held, superseded: Object.keys(superseded).length, failed }));
    for (const one of cases.filter(({ id }) => superseded[id] === undefined)) {
      it(`${one.id}: ${one.title}`, async () => {
        failed++;
        await check(one);
        failed--;
        held++;
      });
    }
    it("has a case for each row that decides otherwise", () => {
      const ids = new Set(cases.map(({ id }) => id));
      for (const id of Object.keys(superseded)) expect(ids).toContain(id);
    });
  });
}

const familyOff = [{ "X-Forwarded": "Off" }];

/** The default X-Forwarded set is left out of account. */
function withoutDefaults(transforms: readonly Record<string, string>[] | null): readonly Record<string, string>[] {
  const own = transforms ?? [];
  return own.some((each) => "X-Forwarded" in each || "Forwarded" in each) ? own : [...own, ...familyOff];
}

// Request

conformance(
  "transforms-request",
  async ({ given, expect: expected, rule }) => {
    if (given.kind === "pipeline") {
      if (rule === "factories") await checkFactories(expected);
      else if (rule === "providers") await checkProviders(expected);
      else await checkDefaults(given, expected);
      return;
    }
    if (given.operation === "take-header") {
      checkTaken(given, expected);
      return;
    }
    const host = given.destination?.host;
    const sent = await sendThrough({
      transforms: withoutDefaults(given.transforms ?? null),
      request: requestOf(given.request),
      ...(given.request?.routeTemplate === undefined ? {} : { template: given.request.routeTemplate }),
      ...(given.destination === undefined ? {} : { address: given.destination.address }),
      host,
      provider:
        given.operation === undefined
          ? undefined
          : { apply: (builder) => void builder.request((outgoing) => void (outgoing.destinationPrefix = given.newPrefix)) },
    });
    checkSent(sent, expected);
    if (expected.incomingRequestUnchanged === true) {
      const came = sent.exchange.request.headers;
      expect([...came].slice(1)).toEqual(given.request.headers);
    }
  },
  {
    "transforms-request.request-headers-allowed-restricted.a8484b87": "D2",
    "transforms-request.request-headers-allowed-restricted.edce068d": "D2",
  },
);

function checkSent(sent: Sent, expected: ConformanceCase["expect"]): void {
  const { outgoing, onlyHeaders } = expected;
  if (onlyHeaders !== undefined) {
    const framing = onlyHeaders.includes("Content-Length");
    const wanted = (onlyHeaders as string[]).filter((name) => name !== "Content-Length");
    expect(namesOf(sent.headers).filter((name) => name !== "host")).toEqual(wanted.map((name) => name.toLowerCase()).sort());
    // The length of a body is told by the destination's client, from the body.
    if (framing) expect(sent.call.request.body?.length).toBe(0);
  }
  if (outgoing === undefined) return;
  for (const [name, values] of Object.entries(outgoing.headers ?? {})) expect(valuesOf(sent.headers, name)).toEqual(values);
  if (outgoing.method !== undefined) expect(sent.method).toBe(outgoing.method);
  if (outgoing.url !== undefined) expect(sent.url).toBe(outgoing.url);
  if (outgoing.host !== undefined) expect(sent.host).toBe(outgoing.host ?? "localhost");
}

function checkTaken(given: ConformanceCase["given"], expected: ConformanceCase["expect"]): void {
  const pairs = Object.entries((given.headersAlreadyOnOutgoing ?? given.clientHeaders ?? {}) as Record<string, string[]>);
  const headers = HeaderList.from(pairs.flatMap(([name, values]) => values.map((value) => [name, value] as const)));
  const came: Lines | undefined = (given.request ?? given.response)?.headers;
  const uncopied = given.headersCopied || came === undefined ? undefined : HeaderList.from(came);
  expect(takeHeader(headers, given.header, uncopied)).toEqual(expected.taken);
  for (const [name, values] of Object.entries(expected.outgoing?.headers ?? {})) expect(valuesOf(headers, name)).toEqual(values);
}

async function checkDefaults(given: ConformanceCase["given"], expected: ConformanceCase["expect"]): Promise<void> {
  const issues: ConfigIssue[] = [];
  const plan = planTransforms({ routeId: "r", match: {}, transforms: given.transforms ?? [] }, transformCatalogue(), issues);
  // The step that settles Host is always there.
  expect(plan.request.length + 1).toBe(expected.requestSteps);
  expect([plan.response.length, plan.trailers.length]).toEqual([expected.responseSteps, expected.trailerSteps]);
  expect(plan.copyRequestHeaders).toBe(expected.copyRequestHeaders ?? true);
  expect([plan.copyResponseHeaders, plan.copyResponseTrailers]).toEqual([true, true]);
  expect(plan.originalHost ?? false).toBe(expected.useOriginalHost ?? false);
  if (expected.xForwarded !== undefined) expect(await actionsOf(given.transforms ?? [])).toEqual(expected.xForwarded);
}

async function checkFactories(expected: ConformanceCase["expect"]): Promise<void> {
  const calls = [0, 0, 0];
  const factories = ["1", "2", "3"].map(
    (key, index): OpenTransformFactory => ({
      build(settings) {
        calls[index] = (calls[index] ?? 0) + 1;
        return settings.get(key) !== undefined;
      },
    }),
  );
  await testProxy({ routes: { r: { match: { path: "/" }, transforms: [{ "2": "B" }] } } }, { transforms: factories });
  // Checking and building are one.
  expect(calls).toEqual(expected.validateCalls);
  expect(calls).toEqual(expected.buildCalls);
}

async function checkProviders(expected: ConformanceCase["expect"]): Promise<void> {
  const calls: Record<string, number[]> = { validateRouteCalls: [0, 0, 0], validateClusterCalls: [0, 0, 0], applyCalls: [0, 0, 0] };
  const count = (what: string, index: number): [] => {
    (calls[what] as number[])[index]! += 1;
    return [];
  };
  const providers = [0, 1, 2].map(
    (index): TransformProvider => ({
      validateRoute: () => count("validateRouteCalls", index),
      validateCluster: () => count("validateClusterCalls", index),
      apply: () => void count("applyCalls", index),
    }),
  );
  await testProxy(
    { routes: { r: { clusterId: "c", match: { path: "/" } } }, clusters: { c: {} } },
    { transformProviders: providers },
  );
  expect(calls).toEqual(expected);
}

// Forwarding fields

const probe: FakeRequest = { pathBase: "/base", authority: "probe.test", remoteAddress: "192.0.2.33" };
const truth: Readonly<Record<string, string>> = { For: "192.0.2.33", Host: "probe.test", Proto: "http", Prefix: "/base" };

/** What transforms do with the fields of the family, told from what goes out. */
async function actionsOf(transforms: readonly Record<string, string>[], prefix = "X-Forwarded-"): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const old = Object.keys(truth).map((part) => [prefix + part, "old"] as const);
  const sent = await sendThrough({ transforms, request: { ...probe, headers: old } });
  for (const [part, value] of Object.entries(truth)) {
    const values = valuesOf(sent.headers, prefix + part);
    const action = { null: "Remove", old: "", [value]: "Set", [`old,${value}`]: "Append" }[String(values)];
    if (action === undefined) throw new Error(`${part}: ${String(values)}`);
    if (action !== "") found[prefix + part] = action;
  }
  return found;
}

async function forwardedActionOf(transforms: readonly Record<string, string>[]): Promise<string | undefined> {
  const sent = await sendThrough({ transforms, request: { ...probe, headers: [["Forwarded", "old"]] } });
  const values = valuesOf(sent.headers, "Forwarded");
  if (values === null) return "Remove";
  if (values[0] === "old") return values.length > 1 ? "Append" : undefined;
  return "Set";
}

conformance("transforms-forwarded", async ({ given, expect: expected }) => {
  if (given.kind === "x") {
    const name = `X-Forwarded-${given.part}`;
    const transforms = [{ "X-Forwarded": "Off", [given.part]: given.action }];
    const headers = await runRequestPlan(planOf(transforms), connectionOf(given, name));
    expect(valuesOf(headers, name)).toEqual(expected.values);
  } else if (given.kind === "forwarded") {
    const { parts, forFormat, byFormat, action } = given.config;
    const draws: number[] = [...given.randomIndices];
    const drawn = { ...forwardedWith(() => draws.shift() ?? 0), key: "Forwarded" };
    const configured = { Forwarded: parts.join(","), ForFormat: forFormat, ByFormat: byFormat, Action: action };
    const headers = await runRequestPlan(planOf([configured], drawn), connectionOf(given, "Forwarded"));
    expect(valuesOf(headers, "Forwarded")).toEqual(expected.values);
  } else if (expected.forwardedParts !== undefined) {
    const sent = await sendThrough({ transforms: given.transforms, request: probe });
    expect(sent.headers.get("forwarded")).toMatch(/^proto=http;host="probe\.test";for=_[A-Za-z0-9._-]{9}$/);
  } else {
    const transforms: Record<string, string>[] = given.transforms ?? [{ Forwarded: "" }];
    const prefix = transforms.find((each) => "HeaderPrefix" in each)?.["HeaderPrefix"];
    const { Forwarded: ofForwarded, ...steps } = expected.steps as Record<string, string>;
    expect(await actionsOf(transforms, prefix)).toEqual(steps);
    expect(await forwardedActionOf(transforms)).toBe(expected.forwardedHeader ?? ofForwarded ?? undefined);
  }
});

function planOf(transforms: readonly Record<string, string>[], instead?: TransformFactory): TransformPlan {
  const catalogue = transformCatalogue();
  const keyed = new Map(catalogue.keyed);
  if (instead !== undefined) keyed.set(instead.key.toLowerCase(), instead);
  const issues: ConfigIssue[] = [];
  const plan = planTransforms({ routeId: "r", match: {}, transforms }, { ...catalogue, keyed }, issues);
  expect(issues).toEqual([]);
  return plan;
}

function connectionOf(given: ConformanceCase["given"], name: string): FakeRequest {
  const { remoteIp, remotePort, localIp, localPort, host, scheme, pathBase } = given.connection;
  return {
    headers: (given.existing as string[]).map((value) => [name, value] as const),
    authority: host === undefined ? "gateway.test" : (host ?? ""),
    scheme,
    pathBase: pathBase ?? undefined,
    connection: { remoteAddress: remoteIp ?? undefined, remotePort, localAddress: localIp ?? undefined, localPort },
  };
}

// Response

const framing: ReadonlySet<string> = new Set(["content-length", "date"]);

conformance(
  "transforms-response",
  async ({ given, expect: expected }) => {
    if (given.operation === "take-header") {
      checkTaken(given, expected);
      return;
    }
    const { status, received, headers, trailers } = given.response;
    const { exchange } = await sendThrough({
      transforms: given.transforms,
      provider:
        // What stands in a response that no destination gave can only come from the gateway itself.
        received === false ? { apply: ({ plan }) => void plan.response.unshift((response) => add(response.headers, headers)) } : undefined,
      script: (call) => (received === false ? call.fail() : call.respond(status, headers ?? [], "", trailers)),
    });
    const { head, trailers: got } = exchange.response;
    expect(exchange.response.status).toBe(status);
    const { client, onlyHeaders, onlyTrailers } = expected;
    for (const [name, values] of Object.entries(client?.headers ?? {})) expect(valuesOf(head?.headers, name)).toEqual(values);
    for (const [name, values] of Object.entries(client?.trailers ?? {})) expect(valuesOf(got, name)).toEqual(values);
    if (onlyHeaders !== undefined) {
      const wanted = (onlyHeaders as string[]).map((name) => name.toLowerCase());
      const names = namesOf(head?.headers).filter((name) => wanted.includes(name) || !framing.has(name));
      expect(names).toEqual(wanted.sort());
    }
    if (onlyTrailers !== undefined) expect(namesOf(got)).toEqual((onlyTrailers as string[]).map((name) => name.toLowerCase()).sort());
  },
  {
    "transforms-response.response-headers-allowed-restricted.edbbfe8b": "D2",
    "transforms-response.response-trailers-allowed-restricted.22e04701": "D2",
  },
);

function add(headers: HeaderList, lines: Lines): void {
  for (const [name, value] of lines) headers.append(name, value);
}

// Path and query

conformance("transforms-path-query", async ({ given, expect: expected }) => {
  const { path, query = "", routeTemplate, routeValues } = given.request;
  const asked = routeValues === undefined ? { path, template: routeTemplate } : captured(routeValues);
  const own: Record<string, string>[] = given.transforms;
  const byCode = own.find((each) => "api" in each);
  const sent = await sendThrough({
    transforms: byCode === undefined ? own : [],
    request: requestOf({ path: asked.path, query }),
    ...(asked.template === undefined ? {} : { template: asked.template }),
    provider:
      byCode === undefined
        ? undefined
        : { apply: (builder) => void builder.request((outgoing) => void (outgoing.path = byCode["value"] ?? "")) },
  });
  if (expected.path !== undefined) expect(decodeURIComponent(sent.path)).toBe(expected.path);
  if (expected.query !== undefined) expect(sent.query).toBe(expected.query);
});

/** A path and a template that give these route values; the last may hold slashes. */
function captured(values: Readonly<Record<string, string>>): { path: string; template: string } {
  const names = Object.keys(values);
  const template = names.map((name, index) => (index === names.length - 1 ? `/{**${name}}` : `/{${name}}`)).join("");
  return { path: `/${Object.values(values).join("/")}`, template };
}

// Validation

/** Faults that the configuration's own checks find have the names that these give them. */
const alsoCalled = new Map([
  ["transform-empty", "unknown-transform"],
  ["affinity-policy-unknown", "unknown-affinity-policy"],
]);

conformance(
  "transforms-validation",
  async ({ given, expect: expected }) => {
    const config = defineConfig({
      routes: { r: { match: { path: "/" }, transforms: given.transforms ?? [] } },
      clusters:
        given.cluster === undefined
          ? {}
          : {
              cluster1: {
                sessionAffinity: { enabled: true, policy: given.cluster.SessionAffinity.Policy, affinityKeyName: "Key1" },
              },
            },
    });
    const known = { affinity: given.registeredPolicies ?? [] };
    const found = await validateConfig(config, { validators: [createProxyValidator()], known });
    const errors = found.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code }) => alsoCalled.get(code) ?? code)).toEqual(expected.errors.map(({ code }: { code: string }) => code));
    expect(errors.length === 0).toBe(expected.valid);
    expected.errors.forEach(({ mentions }: { mentions: string[] }, index: number) => {
      for (const text of mentions) expect(errors[index]?.message).toContain(text);
    });
    if (expected.responseSteps !== undefined) await checkAffinityStep(given.cluster);
  },
);

/** The key is written into the response that comes from the destination. */
async function checkAffinityStep(cluster: ConformanceCase["given"]["cluster"]): Promise<void> {
  const policy: SessionAffinityPolicy = {
    name: cluster.SessionAffinity.Policy,
    find: () => ({ status: "AffinityKeyNotSet", destinations: [] }),
    affinitize: (_exchange, _settings, destination, headers) => headers.append("X-Key", destination.id),
  };
  const { send } = await testProxy(
    oneCluster(["a"], { sessionAffinity: { enabled: true, policy: policy.name, affinityKeyName: "Key1" } }),
    { affinityPolicies: [policy] },
  );
  expect((await send()).response.header("X-Key")).toBe("a");
}

describe("instead of what the tables say", () => {
  it("allow lists let no field of the connection pass (D2)", async () => {
    const { headers } = await sendThrough({
      transforms: [{ RequestHeadersAllowed: "connection;transfer-encoding;keep-alive;x-named;x-kept" }, ...familyOff],
      request: {
        headers: [
          ["Connection", "x-named"],
          ["Transfer-Encoding", "chunked"],
          ["Keep-Alive", "timeout=5"],
          ["X-Named", "1"],
          ["X-Kept", "2"],
        ],
      },
    });
    expect(namesOf(headers)).toEqual(["host", "x-kept"]);
  });

  it("nor do those of responses and trailers (D2)", async () => {
    const { exchange } = await sendThrough({
      transforms: [{ ResponseHeadersAllowed: "connection;keep-alive;x-kept" }, { ResponseTrailersAllowed: "connection;x-sum" }],
      script: (call) =>
        call.respond(200, [["Connection", "x-named"], ["Keep-Alive", "timeout=5"], ["X-Kept", "2"]], "body", [
          ["Connection", "x"],
          ["X-Sum", "1"],
        ]),
    });
    expect(namesOf(exchange.response.head?.headers)).toEqual(["x-kept"]);
    expect(namesOf(exchange.response.trailers)).toEqual(["x-sum"]);
  });
});
