/**
 * Output cache policies by name, as routes ask for them with `OutputCachePolicy`. `Default` is the base policy, which holds for routes that name none. What is kept outlives a
 * reload that leaves its policy as it is.
 */
import { isDeepStrictEqual } from "node:util";
import { systemClock, type Clock } from "@proxy/cluster";
import { routePolicies, type OutputCachePolicyConfig, type PoliciesConfig } from "@proxy/config";
import type { RouteModel, Step } from "@proxy/pipeline";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { compileCachePolicy } from "./cache-policy.ts";
import { memoryOutputCacheStore } from "./memory-cache-store.ts";
import { cachedRoute, OutputCache, type CachedRoute } from "./output-cache.ts";
import type { OutputCacheStoreFactory } from "./output-cache-store.ts";

export interface OutputCacheOptions {
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Where answers are kept. Default: in memory. */
  readonly store?: OutputCacheStoreFactory | undefined;
}

/** What a program may do with the answers that are kept. */
export interface OutputCacheControl {
  /** Forgets the answers of all policies that have this tag, also those that are still on their way. Gives how many were there. */
  evictByTag(tag: string): Promise<number>;
  /** Forgets everything. */
  clear(): Promise<void>;
}

interface Held {
  readonly policy: OutputCachePolicyConfig;
  readonly cache: OutputCache;
}

export interface OutputCacheKind extends EdgePolicyKind<"outputCache"> {
  readonly control: OutputCacheControl;
}

function createCache(policy: OutputCachePolicyConfig, { clock = systemClock, store = memoryOutputCacheStore }: OutputCacheOptions): OutputCache {
  const compiled = compileCachePolicy(policy);
  const { name, sizeLimit, maxVariants } = compiled;
  return new OutputCache(compiled, store({ name, sizeLimit, maxVariants }), clock);
}

/** The step `output-cache` with one policy for all routes. */
export function outputCacheStep(policy: Omit<OutputCachePolicyConfig, "name"> = {}, options: OutputCacheOptions = {}): Step & OutputCacheControl {
  const cache = createCache({ name: "default", ...policy }, options);
  const routes = new WeakMap<RouteModel, CachedRoute>();
  return {
    name: "output-cache",
    run(ctx, next) {
      let route = routes.get(ctx.route);
      if (route === undefined) routes.set(ctx.route, (route = cachedRoute(ctx.route.config)));
      return cache.serve(ctx, next, route);
    },
    evictByTag: async (tag) => cache.evictByTag(tag),
    clear: async () => cache.clear(),
  };
}

export function outputCachePolicies(code: PoliciesConfig["outputCache"], options: OutputCacheOptions): OutputCacheKind {
  let current: ReadonlyMap<string, Held> = new Map();
  return {
    kind: "outputCache",
    steps: ["output-cache"],
    code: code ?? [],
    compile(policies) {
      const next = new Map(policies.map((policy): [string, Held] => {
        const name = policy.name.toLowerCase();
        const before = current.get(name);
        return [name, before !== undefined && isDeepStrictEqual({ ...before.policy }, { ...policy }) ? before : { policy, cache: createCache(policy, options) }];
      }));
      return {
        bind(_step, { config }) {
          const asked = routePolicies(config).outputCache;
          if (asked === "disabled") return undefined;
          const held = next.get(asked === undefined ? "default" : asked.policy.toLowerCase());
          if (held === undefined || held.policy.noCache === true) return undefined;
          const route = cachedRoute(config);
          const { cache } = held;
          return (ctx, following) => cache.serve(ctx, following, route);
        },
        commit() {
          for (const { cache } of current.values()) if (![...next.values()].some((held) => held.cache === cache)) cache.close();
          current = next;
        },
      };
    },
    close() {
      for (const { cache } of current.values()) cache.close();
    },
    control: {
      async evictByTag(tag) {
        const counts = await Promise.all([...current.values()].map(({ cache }) => cache.evictByTag(tag)));
        return counts.reduce((sum, count) => sum + count, 0);
      },
      async clear() {
        await Promise.all([...current.values()].map(({ cache }) => cache.clear()));
      },
    },
  };
}
