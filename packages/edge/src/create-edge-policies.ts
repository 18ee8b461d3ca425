/** The extension that has a proxy carry out the edge policies of its configuration. */
import { configErrorOf, defineConfig, mergePolicies, validatePolicies, type ConfigIssue, type DefinedPolicyKind, type PoliciesConfig, type PoliciesConfigInput, type ProxyConfig } from "@proxy/config";
import { systemClock, type Clock } from "@proxy/cluster";
import type { ExchangeHandler } from "@proxy/http";
import { insertBefore, silentLogger, trustedPeers, type PreparedExtension, type ProxyExtension, type ProxyLogger, type Step } from "@proxy/pipeline";
import { accessPolicies } from "./access/access-policies.ts";
import { authenticationPolicies } from "./authentication/authentication-policies.ts";
import { Schemes, type SchemeFactory } from "./authentication/schemes.ts";
import { authorizationPolicies, type AuthorizationFunction } from "./authorization/authorization-policies.ts";
import { compressionPolicies } from "./compression/compression-policies.ts";
import { corsPolicies } from "./cors/cors-policies.ts";
import { rateLimiterPolicies } from "./rate-limiter/rate-limiter-policies.ts";
import { outputCachePolicies, type OutputCacheControl } from "./output-cache/output-cache-policies.ts";
import type { OutputCacheStoreFactory } from "./output-cache/output-cache-store.ts";
import type { RateLimitStoreFactory } from "./rate-limiter/rate-limit-store.ts";
import { memorySignInStore } from "./sign-in/store/memory-sign-in-store.ts";
import type { SignInStore } from "./sign-in/store/sign-in-store.ts";
import { sparingLog } from "./sparing-log.ts";
import { staticFilesPolicies } from "./static-files/static-files-policies.ts";
import { edgeSteps, type CompiledPolicies, type EdgePolicyKind, type EndpointGuard, type EndpointRequest, type EdgeStepName, type PolicyConfigOf } from "./edge-policy-kind.ts";

export interface EdgePoliciesOptions {
  /** Policies from code, by name; those of the configuration come on top. */
  readonly policies?: Pick<PoliciesConfigInput, "cors" | "rateLimiter" | "access" | "compression" | "staticFiles" | "authentication" | "authorization" | "outputCache"> | undefined;
  /** Time of limits, for tests. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Where limits by time are counted, for counts that gateways share. Default: in memory. */
  readonly rateLimitStore?: RateLimitStoreFactory | undefined;
  /** Schemes of authentication of the application's own, beside those of the configuration. */
  readonly schemes?: readonly SchemeFactory[] | undefined;
  /** Authorization policies that the application decides itself, by name. */
  readonly authorization?: Readonly<Record<string, AuthorizationFunction>> | undefined;
  /**
   * What sign-ins remember: which answers were used, and which sessions ended before their time. One that the gateways of a site share has all of them know. Default: in
   * memory.
   */
  readonly signInStore?: SignInStore | undefined;
  /** How issuers and other services are asked, for tests. Default: Node's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Addresses and networks of peers that are believed when they show a client's certificate: those of `trustedProxies` of the proxy. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Told of keys that could not be fetched and the like. Default: nobody. */
  readonly logger?: ProxyLogger | undefined;
  /** Where answers are kept. Default: in memory. */
  readonly outputCacheStore?: OutputCacheStoreFactory | undefined;
}

/** Edge policies, and what a program may do with them while they serve. */
export interface EdgePoliciesExtension extends ProxyExtension {
  readonly outputCache: OutputCacheControl;
}

/**
 * Edge policies for `extensions` of one proxy: `createReverseProxy({ config, extensions: [createEdgePolicies()] })`. Throws `ConfigError` for
 * policies from code that make no sense.
 */
export function createEdgePolicies(options: EdgePoliciesOptions = {}): EdgePoliciesExtension {
  const code = defineConfig({ policies: options.policies }).policies ?? {};
  const faults = validatePolicies(code);
  if (faults.length > 0) throw configErrorOf(faults);
  const clock = options.clock ?? systemClock;
  const services = { clock, fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)), log: sparingLog(options.logger ?? silentLogger, clock) };
  const store = options.signInStore ?? memorySignInStore({ clock });
  const schemes = new Schemes(options.schemes ?? [], { ...services, store, trusts: trustedPeers(options.trustedProxies ?? []) });
  const authentication = authenticationPolicies(code.authentication, schemes);
  const schemeNames = ({ policies }: ProxyConfig): readonly string[] => [...(mergePolicies([code, policies])?.authentication ?? []).map(({ name }) => name), ...schemes.names];
  const outputCache = outputCachePolicies(code.outputCache, { clock: options.clock, store: options.outputCacheStore });
  // Guards of endpoints stand in this order, which for them is that of the steps.
  const kinds: readonly AnyKind[] = [
    anyKind(authentication),
    anyKind(authorizationPolicies(code.authorization, { functions: options.authorization ?? {}, prepared: authentication.prepared, schemeNames, services })),
    anyKind(accessPolicies(code.access)),
    anyKind(corsPolicies(code.cors)),
    anyKind(compressionPolicies(code.compression)),
    anyKind(rateLimiterPolicies(code.rateLimiter, { clock: options.clock, store: options.rateLimitStore })),
    anyKind(staticFilesPolicies(code.staticFiles)),
    anyKind(outputCache),
  ];
  return new EdgePolicies(kinds, outputCache.control);
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
    names: [...kind.code.map(({ name }) => name), ...(kind.names ?? [])].filter((name) => name.toLowerCase() !== "default"),
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

class EdgePolicies implements EdgePoliciesExtension {
  readonly name = "edge-policies";
  readonly policies: ProxyExtension["policies"];
  readonly outputCache: OutputCacheControl;
  readonly #kinds: readonly AnyKind[];
  #current: ReadonlyMap<AnyKind, CompiledPolicies> = new Map();
  #prepared: ReadonlyMap<AnyKind, CompiledPolicies> | undefined;

  constructor(kinds: readonly AnyKind[], outputCache: OutputCacheControl) {
    this.outputCache = outputCache;
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

  prepare(config: ProxyConfig): PreparedExtension {
    const prepared = new Map<AnyKind, CompiledPolicies>();
    try {
      for (const kind of this.#kinds) prepared.set(kind, kind.compile(config));
    } catch (error) {
      for (const each of prepared.values()) each.discard?.();
      throw error;
    }
    this.#prepared = prepared;
    return {
      endpoints: endpointsOf([...prepared.values()]),
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

/** Endpoints behind what guards them: no route's policy reaches them. */
function endpointsOf(compiled: readonly CompiledPolicies[]): ReadonlyMap<string, ExchangeHandler> | undefined {
  const all = compiled.flatMap(({ endpoints }) => [...(endpoints ?? [])]);
  const guards = compiled.flatMap(({ guard }) => guard ?? []);
  return all.length === 0 ? undefined : new Map(all.map(([path, handler]) => [path, guarded(path, handler, guards)]));
}

function guarded(path: string, handler: ExchangeHandler, guards: readonly EndpointGuard[]): ExchangeHandler {
  const route = { config: { routeId: path } };
  const run = guards.reduceRight<(request: EndpointRequest) => void | Promise<void>>((next, guard) => (request) => guard(request, next), ({ exchange }) => handler(exchange));
  return (exchange) => run({ exchange, route, item: () => undefined });
}
