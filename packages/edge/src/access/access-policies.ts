import { routePolicies, type PoliciesConfig } from "@proxy/config";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { compileAccessPolicy } from "./access-policy.ts";
import { accessCheck, accessRun } from "./access-step.ts";

/** Access policies by name, as routes ask for them with `AccessPolicy`. `Default` holds for routes that name none. */
export function accessPolicies(code: PoliciesConfig["access"]): EdgePolicyKind<"access"> {
  return {
    kind: "access",
    steps: ["access"],
    code: code ?? [],
    compile(policies) {
      const compiled = new Map(policies.map((policy) => [policy.name.toLowerCase(), compileAccessPolicy(policy)]));
      const others = compiled.get("default");
      const passes = others === undefined ? undefined : accessCheck(others);
      return {
        guard: passes === undefined ? undefined : (request, next) => (passes(request.exchange) ? next(request) : undefined),
        bind(_step, { config }) {
          const asked = routePolicies(config).access;
          if (asked === "disabled") return undefined;
          const policy = compiled.get(asked === undefined ? "default" : asked.policy.toLowerCase());
          return policy === undefined ? undefined : accessRun(policy, typeof config.maxRequestBodySize === "number");
        },
      };
    },
  };
}
