import type { Shapeless } from "@proxy/conformance";
import { describe, expect, it } from "vitest";
import { effectiveBodyLimit, metadataValue, routePolicies } from "../../src/index.ts";
import { isAskedOfProxy } from "@proxy/conformance/split-areas";
import { checkArea } from "./area.ts";
import type { Json } from "./model.ts";
import { decodeProxy, routeOf } from "./model.ts";

checkArea("config-parse", {
  superseded: {
    // '1m' is one minute here.
    "config-parse.value-timespan.fecc99a5": "D14",
  },
  elsewhere: (one) => isAskedOfProxy(one, "config-parse"),
  check: ({ given, expect: expected }) => {
    switch (given.kind) {
      case "parse":
        checkParse(given, expected);
        break;
      case "value":
        checkValue(given, expected);
        break;
      case "policy":
        checkPolicy(given.route, expected.effective);
        break;
      case "body-limit":
        expect(effectiveBodyLimit(given.serverLimit, given.routeLimit, given.readOnly) ?? null).toBe(expected.limit);
        break;
      default:
        throw new Error(`no check for ${given.kind}`);
    }
  },
});

function checkParse(given: Shapeless, expected: Shapeless): void {
  const key = given.section === "route" ? "Routes" : "Clusters";
  const { config, issues } = decodeProxy(given.section === "root" ? given.json : { [key]: given.json });
  if (expected.error !== undefined) {
    expect(issues.map((issue) => issue.code)).toContain(expected.error);
    return;
  }
  expect(issues).toEqual([]);
  const { lookupMetadata, ...model } = expected.model;
  const actual = given.section === "root" ? config : given.section === "route" ? config.routes[0] : config.clusters[0];
  agree(actual, model, []);
  for (const [name, value] of Object.entries(lookupMetadata ?? {})) {
    expect(metadataValue((actual as Shapeless).metadata, name)).toBe(value);
  }
}

/** Whether the listed members agree; names of the configuration become those of the model. */
function agree(actual: unknown, expected: unknown, path: readonly string[]): void {
  const at = path.join(".");
  if (expected === null) {
    expect(actual ?? null, at).toBe(null);
  } else if (Array.isArray(expected)) {
    expect((actual as unknown[]).length, at).toBe(expected.length);
    for (const [index, item] of expected.entries()) agree((actual as unknown[])[index], item, [...path, String(index)]);
  } else if (typeof expected === "object") {
    for (const [name, value] of Object.entries(expected as Json)) {
      const isData = /Metadata$|Transforms\.\d+$|Destinations$/.test(at);
      const seconds = /^(.+)Seconds$/.exec(name)?.[1];
      const member = isData ? name : lowerFirst(seconds ?? name);
      agree((actual as Json)[member] ?? defaultOf(name), seconds === undefined ? value : Number(value) * 1000, [...path, name]);
    }
  } else expect(actual, at).toBe(expected);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** The model leaves defaults out. */
function defaultOf(name: string): unknown {
  return name === "Mode" ? "ExactHeader" : name === "IsCaseSensitive" ? false : undefined;
}

function checkValue({ type, text }: Shapeless, expected: Shapeless): void {
  const { section, read } = values[type as keyof typeof values];
  const { config, issues } = decodeProxy(section(text));
  if (expected.error !== undefined) {
    expect(issues.map((issue) => issue.code)).toEqual([expected.error]);
    return;
  }
  expect(issues).toEqual([]);
  expect(read(config as Shapeless)).toBe(expected.value);
}

const versionNames: Readonly<Record<string, string>> = { "2": "2.0", "3": "3.0" };

const values = {
  timespan: {
    section: (text: string) => ({ Routes: { r: { Timeout: text } } }),
    read: (config: Shapeless) => config.routes[0].timeout / 1000,
  },
  integer: {
    section: (text: string) => ({ Routes: { r: { Order: text } } }),
    read: (config: Shapeless) => config.routes[0].order,
  },
  boolean: {
    section: (text: string) => ({ Clusters: { c: { SessionAffinity: { Enabled: text } } } }),
    read: (config: Shapeless) => config.clusters[0].sessionAffinity.enabled,
  },
  version: {
    section: (text: string) => ({ Clusters: { c: { HttpRequest: { Version: text, AllowResponseBuffering: true } } } }),
    read: (config: Shapeless) => {
      const version = config.clusters[0].httpRequest.version;
      return version === undefined ? null : (versionNames[version] ?? version);
    },
  },
};

function checkPolicy(route: Json, effective: Json): void {
  const policies = routePolicies(routeOf({ RouteId: "r", Match: { Path: "/" }, ...route }));
  for (const [kind, expected] of Object.entries(effective)) {
    const actual = policies[kind as keyof typeof policies] ?? null;
    const seconds = (expected as Json | null)?.["seconds"];
    expect(actual).toEqual(seconds === undefined ? expected : { milliseconds: Number(seconds) * 1000 });
  }
}

describe("durations", () => {
  it("may be a number with a unit instead of a TimeSpan (D14)", () => {
    const { config, issues } = decodeProxy({
      Routes: { ms: { Timeout: "500ms" }, s: { Timeout: "15s" }, m: { Timeout: "1m" }, h: { Timeout: "1h" }, d: { Timeout: "1d" } },
    });
    expect(issues).toEqual([]);
    expect(config.routes.map((route) => route.timeout)).toEqual([500, 15_000, 60_000, 3_600_000, 86_400_000]);
  });
});
