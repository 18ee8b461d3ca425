/**
 * Rate limiter policies by name, as routes ask for them with `RateLimiterPolicy`. `Default` is the global limiter: it holds for every route that does not
 * say `Disable`, before the route's own. Counts, and those who wait, outlive a reload that leaves their policy as it is.
 */
import { isDeepStrictEqual } from "node:util";
import { routePolicies, type PoliciesConfig, type RateLimiterPolicyConfig } from "@proxy/config";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { askLimiters, createRateLimiter, rateLimiterRun, type RateLimiter, type RateLimiterOptions } from "./rate-limiter-step.ts";

interface Held {
  readonly policy: RateLimiterPolicyConfig;
  readonly limiter: RateLimiter;
}

export function rateLimiterPolicies(code: PoliciesConfig["rateLimiter"], options: RateLimiterOptions): EdgePolicyKind<"rateLimiter"> {
  let current: ReadonlyMap<string, Held> = new Map();
  return {
    kind: "rateLimiter",
    steps: ["rate-limiter", "rate-limiter-user"],
    code: code ?? [],
    compile(policies) {
      const next = new Map(policies.map((policy): [string, Held] => {
        const name = policy.name.toLowerCase();
        const before = current.get(name);
        return [name, before !== undefined && isDeepStrictEqual({ ...before.policy }, { ...policy }) ? before : { policy, limiter: createRateLimiter(policy, options) }];
      }));
      const everywhere = next.get("default")?.limiter;
      const kept = new Set([...next.values()].map(({ limiter }) => limiter));
      return {
        // Nobody is known at an endpoint: a limit by user counts by address there.
        guard: everywhere === undefined ? undefined : (request, goOn) => askLimiters([everywhere], request, goOn),
        bind(step, route) {
          const asked = routePolicies(route.config).rateLimiter;
          if (asked === "disabled") return undefined;
          const names = asked === undefined || asked === "default" ? ["default"] : ["default", asked.policy.toLowerCase()];
          const held = names.flatMap((name) => next.get(name) ?? []);
          const here = held.filter(({ policy }) => (policy.partitionBy === "User") === (step === "rate-limiter-user"));
          return here.length === 0 ? undefined : rateLimiterRun(here.map(({ limiter }) => limiter));
        },
        commit() {
          const gone = [...current.values()].filter(({ limiter }) => !kept.has(limiter));
          current = next;
          for (const { limiter } of gone) limiter.limiter.close();
        },
      };
    },
    close() {
      for (const { limiter } of current.values()) limiter.limiter.close();
    },
  };
}
