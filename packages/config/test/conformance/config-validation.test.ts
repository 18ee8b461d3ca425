import type { Shapeless } from "@proxy/conformance";
import { expect } from "vitest";
// @boundaries-ignore the validator is registered by whoever composes the two
import { routeValidator } from "../../../pipeline/src/routing/route-validator.ts";
import type { KnownPolicies, PolicyKind, ProxyConfig } from "../../src/index.ts";
import { validateConfig } from "../../src/index.ts";
import { mergeConfigs } from "../../src/merge-configs.ts";
import { checkArea } from "./area.ts";
import type { Json } from "./model.ts";
import { clusterOf, routeOf } from "./model.ts";

const kinds: Readonly<Record<string, PolicyKind>> = {
  authorization: "authorization",
  cors: "cors",
  "rate-limiter": "rateLimiter",
  timeout: "timeout",
  "output-cache": "outputCache",
  passive: "passiveHealth",
  availableDestinations: "availableDestinations",
};

checkArea("config-validation", {
  check: async ({ given, expect: expected }) => {
    const known: KnownPolicies = Object.fromEntries(
      Object.entries(given.registered ?? {}).map(([kind, names]) => {
        const policyKind = kinds[kind];
        if (policyKind === undefined) throw new Error(`no policies of kind ${kind}`);
        return [policyKind, names];
      }),
    );
    const issues = await validateConfig(configOf(given), { known, validators: [routeValidator] });
    const errors = issues.filter((issue) => issue.severity === "error");
    expect(errors.length === 0, errors.map((error) => error.message).join("\n")).toBe(expected.valid);
    const codes = errors.map((error) => error.code);
    if (expected.exact === true) expect(codes).toEqual(expected.errors.map((error: { code: string }) => error.code));
    let after = -1;
    for (const { code, mentions } of expected.errors) {
      const at = codes.indexOf(code);
      expect(at, `${code} among ${codes.join(", ")}`).toBeGreaterThan(after);
      after = at;
      for (const text of mentions) expect(errors[at]?.message).toContain(text);
    }
  },
});

function configOf(given: Shapeless): ProxyConfig {
  if (given.route !== undefined) return { routes: [routeOf(given.route)], clusters: [], revisionId: "1" };
  if (given.cluster !== undefined) return { routes: [], clusters: [clusterOf(given.cluster)], revisionId: "1" };
  const sources = given.config.sources ?? [given.config];
  return mergeConfigs(
    sources.map((source: { routes: Json[]; clusters: Json[] }) => ({
      routes: source.routes.map(routeOf),
      clusters: source.clusters.map(clusterOf),
      revisionId: "1",
    })),
  );
}
