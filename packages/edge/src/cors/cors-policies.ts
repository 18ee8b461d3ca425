import { policyNamed, routePolicies, type ConfigIssue, type PoliciesConfig } from "@proxy/config";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { compileCorsPolicy } from "./cors-policy.ts";
import { corsRun } from "./cors-step.ts";

/** CORS policies by name, as routes ask for them with `CorsPolicy`. */
export function corsPolicies(code: PoliciesConfig["cors"]): EdgePolicyKind<"cors"> {
  return {
    kind: "cors",
    steps: ["cors"],
    code: code ?? [],
    validate: (config, policies) =>
      config.routes.flatMap((route): ConfigIssue[] => {
        if (routePolicies(route).cors !== "default" || policyNamed(policies, "Default") !== undefined) return [];
        return [
          {
            code: "cors-policy-unknown",
            severity: "error",
            message: `CorsPolicy 'Default' of route '${route.routeId}' is not defined`,
            hint: "define Policies:Cors:Default, or name another policy",
            entity: { kind: "route", id: route.routeId },
            path: ["CorsPolicy"],
          },
        ];
      }),
    compile(policies) {
      const runs = new Map(policies.map((policy) => [policy.name.toLowerCase(), corsRun(compileCorsPolicy(policy))]));
      const refuse = corsRun(undefined);
      return {
        bind(_step, route) {
          const asked = routePolicies(route.config).cors;
          if (asked === undefined) return undefined;
          if (asked === "disabled") return refuse;
          return runs.get(asked === "default" ? "default" : asked.policy.toLowerCase());
        },
      };
    },
  };
}
