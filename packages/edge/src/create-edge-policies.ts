/** The extension that has a proxy carry out the edge policies of its configuration. */
import { configErrorOf, defineConfig, mergePolicies, validatePolicies, type ConfigIssue, type DefinedPolicyKind, type PoliciesConfig, type PoliciesConfigInput, type ProxyConfig } from "@proxy/config";
import type { Clock } from "@proxy/cluster";
import { insertBefore, type ProxyExtension, type Step } from "@proxy/pipeline";
import { accessPolicies } from "./access/access-policies.ts";
import { compressionPolicies } from "./compression/compression-policies.ts";
import { corsPolicies } from "./cors/cors-policies.ts";
import { rateLimiterPolicies } from "./rate-limiter/rate-limiter-policies.ts";
import type { RateLimitStoreFactory } from "./rate-limiter/rate-limit-store.ts";
import { staticFilesPolicies } from "./static-files/static-files-policies.ts";
import { edgeSteps, type CompiledPolicies, type EdgePolicyKind, type EdgeStepName, type PolicyConfigOf } from "./edge-policy-kind.ts";

export interface EdgePoliciesOptions {
  /** Policies from code, by name; those of the configuration come on top. */
  readonly policies?: Pick<PoliciesConfigInput, "cors" | "rateLimiter" | "access" | "compression" | "staticFiles"> | undefined;
  /** Time of limits, for tests. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Where limits by time are counted, for counts that gateways share. Default: in memory. */
  readonly rateLimitStore?: RateLimitStoreFactory | undefined;
}

/**
 * Edge policies for `extensions` of one proxy: `createReverseProxy({ config, extensions: [createEdgePolicies()] })`. Throws `ConfigError` for
 * policies from code that make no sense.
 */
export function createEdgePolicies(options: EdgePoliciesOptions = {}): ProxyExtension {
  const code = defineConfig({ policies: options.policies }).policies ?? {};
  const faults = validatePolicies(code);
  if (faults.length > 0) throw configErrorOf(faults);
  const kinds: readonly AnyKind[] = [
    anyKind(accessPolicies(code.access)),
    anyKind(corsPolicies(code.cors)),
    anyKind(compressionPolicies(code.compression)),
    anyKind(rateLimiterPolicies(code.rateLimiter, { clock: options.clock, store: options.rateLimitStore })),
    anyKind(staticFilesPolicies(code.staticFiles)),
  ];
  return new EdgePolicies(kinds);
}

/** A kind whose own type of policy is nobody else's business. */
interface AnyKind extends Pick<EdgePolicyKind, "kind" | "steps" | "close"> {
  readonly names: readonly string[];
  validate(config: ProxyConfig): readonly ConfigIssue[];
  compile(config: ProxyConfig): CompiledPolicies;
}

function anyKind<K extends DefinedPolicyKind>(kind: EdgePolicyKind<K>): AnyKind {
  const code = { [kind.kind]: kind.code } as PoliciesConfig;
  const all = (config: ProxyConfig): readonly PolicyConfigOf<K>[] => (mergePolicies([code, config.policies])?.[kind.kind] ?? []) as readonly PolicyConfigOf<K>[];
  return {
    kind: kind.kind,
    steps: kind.steps,
    names: kind.code.map(({ name }) => name).filter((name) => name.toLowerCase() !== "default"),
    validate: (config) => [...defined(kind, config), ...(kind.validate?.(config, all(config)) ?? [])],
    compile: (config) => kind.compile(all(config), config),
    close: () => kind.close?.(),
  };
}

/** Policies of the configuration that code has too. */
function defined<K extends DefinedPolicyKind>(kind: EdgePolicyKind<K>, { policies }: ProxyConfig): readonly ConfigIssue[] {
  const names = new Set(kind.code.map(({ name }) => name.toLowerCase()));
  const both = (policies?.[kind.kind] ?? []).filter(({ name }) => names.has(name.toLowerCase()));
  return both.map(({ name }) => ({ code: "policy-duplicate", severity: "error", message: `the policy '${name}' comes from code too`, path: ["Policies", kind.kind, name] }));
}

class EdgePolicies implements ProxyExtension {
  readonly name = "edge-policies";
  readonly policies: ProxyExtension["policies"];
  readonly #kinds: readonly AnyKind[];
  #current: ReadonlyMap<AnyKind, CompiledPolicies> = new Map();
  #prepared: ReadonlyMap<AnyKind, CompiledPolicies> | undefined;

  constructor(kinds: readonly AnyKind[]) {
    this.#kinds = kinds;
    this.policies = Object.fromEntries(kinds.map(({ kind, names }) => [kind, names]));
  }

  steps(steps: readonly Step[]): readonly Step[] {
    const own = edgeSteps.flatMap((name) => this.#kinds.filter((kind) => kind.steps.includes(name)).map((kind) => this.#step(kind, name)));
    return insertBefore(steps, "answer", ...own);
  }

  validate(config: ProxyConfig): readonly ConfigIssue[] {
    return this.#kinds.flatMap((kind) => kind.validate(config));
  }

  prepare(config: ProxyConfig): { commit(): void; discard(): void } {
    const prepared = new Map(this.#kinds.map((kind) => [kind, kind.compile(config)]));
    this.#prepared = prepared;
    return {
      commit: () => {
        this.#current = prepared;
        this.#prepared = undefined;
        for (const each of prepared.values()) each.commit?.();
      },
      discard: () => {
        this.#prepared = undefined;
        for (const each of prepared.values()) each.discard?.();
      },
    };
  }

  close(): void {
    for (const kind of this.#kinds) kind.close?.();
  }

  #step(kind: AnyKind, name: EdgeStepName): Step {
    return {
      name,
      bind: (route) => (this.#prepared ?? this.#current).get(kind)?.bind(name, route),
      // Never in a chain: `bind` gives what is.
      run: (ctx, next) => next(ctx),
    };
  }
}
