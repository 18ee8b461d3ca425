/** Authorization policies by name, as routes ask for them with `AuthorizationPolicy`; with the schemes of authentication that they name. */
import { policyNamed, routePolicies, type AuthorizationPolicyConfig, type ConfigIssue, type PoliciesConfig, type ProxyConfig } from "@proxy/config";
import type { ProxyContext, RouteModel, Step } from "@proxy/pipeline";
import type { AuthenticationScheme, Identity } from "../authentication/scheme.ts";
import type { PreparedSchemes } from "../authentication/schemes.ts";
import type { EdgePolicyKind } from "../edge-policy-kind.ts";
import { ReservedFields } from "../identity/identity-fields.ts";
import { authenticationRun, authorizationRun, type AuthorizationPolicy } from "./authorize-step.ts";
import { compileForwarding } from "./forwarding.ts";
import { policyGraph } from "./policy-graph.ts";
import { compileRequirement, type Requirement } from "./requirement.ts";
import { TokenExchange, type TokenExchangeServices } from "./token-exchange.ts";

/** A policy that the application decides itself. */
export interface AuthorizationFunction {
  /** Schemes that are asked, in order. Default: the only one there is; an empty list: none. */
  readonly schemes?: readonly string[] | undefined;
  /** Whether the request may pass; `identity` is undefined where no scheme knows who it is. A throw or rejection is answered with 500. */
  authorize(identity: Identity | undefined, ctx: ProxyContext): boolean | Promise<boolean>;
}

export interface AuthorizationOptions {
  readonly functions: Readonly<Record<string, AuthorizationFunction>>;
  /** The schemes of the configuration that is being compiled. */
  readonly prepared: () => PreparedSchemes;
  /** Names of all schemes of a configuration. */
  readonly schemeNames: (config: ProxyConfig) => readonly string[];
  readonly services: TokenExchangeServices;
}

export function authorizationPolicies(code: PoliciesConfig["authorization"], options: AuthorizationOptions): EdgePolicyKind<"authorization"> {
  const functions = new Map(Object.entries(options.functions).map(([name, given]) => [name.toLowerCase(), given]));
  const names = Object.keys(options.functions);
  const exchanges = new Exchanges(options.services);
  return {
    kind: "authorization",
    steps: ["authentication", "authorization"],
    code: code ?? [],
    names,
    validate: (config, policies) => {
      const asked = new Set(["fallback", ...config.routes.map(({ authorizationPolicy }) => (authorizationPolicy ?? "").toLowerCase())]);
      const issues: ConfigIssue[] = [...clashes(policies, functions), ...policyGraph(policies, functions, options.schemeNames(config), asked).issues];
      const fallback = policyNamed(policies, "Default") ?? functions.get("default");
      if (fallback !== undefined || options.schemeNames(config).length === 1) return issues;
      for (const route of config.routes) if (routePolicies(route).authorization === "default") issues.push(noDefault(route.routeId));
      return issues;
    },
    compile(policies) {
      const schemes = options.prepared();
      const graph = policyGraph(policies, functions, schemes.all.map(({ name }) => name));
      const reserved = new ReservedFields([
        ...policies.flatMap(({ forward }) => Object.keys(forward?.headers ?? {})),
        ...schemes.all.flatMap(({ forwardedFields }) => forwardedFields ?? []),
      ]);
      const everywhere = schemes.hiding;
      const requirements = new Map<string, Requirement>();
      const requirementOf = (name: string): Requirement => {
        const lower = name.toLowerCase();
        const known = requirements.get(lower);
        if (known !== undefined) return known;
        const own = functions.get(lower);
        const made = own === undefined ? compileRequirement(policyNamed(policies, name) ?? { name }, requirementOf) : own.authorize.bind(own);
        requirements.set(lower, made);
        return made;
      };
      const compilePolicy = (name: string): AuthorizationPolicy => {
        const asked = graph.schemesOf(name).flatMap((each) => schemes.get(each) ?? []);
        const config = policyNamed(policies, name);
        const forward = config?.forward;
        return {
          schemes: asked,
          requirement: requirementOf(name),
          scopes: config?.scopes ?? [],
          forwarding: compileForwarding({ reserved, schemes: union(asked, everywhere), config: forward, exchange: exchanges.of(forward?.exchange) }),
        };
      };
      const compiled = new Map([...policies.map(({ name }) => name), ...names].map((name) => [name.toLowerCase(), compilePolicy(name)]));
      if (!compiled.has("default")) compiled.set("default", compilePolicy("Default"));
      const elsewhere = strippingRun(reserved, everywhere);
      const policyOf = ({ config }: RouteModel): AuthorizationPolicy | undefined => {
        const asked = routePolicies(config).authorization;
        if (asked === "anonymous") return undefined;
        // One that is not here is the application's own, with a step of its own.
        return compiled.get(asked === undefined ? "fallback" : asked === "default" ? "default" : asked.policy.toLowerCase());
      };
      return {
        bind(step, route) {
          const policy = policyOf(route);
          if (policy === undefined) return step === "authentication" ? elsewhere : undefined;
          return step === "authentication" ? authenticationRun(policy) : authorizationRun(policy);
        },
        commit: () => exchanges.commit(),
        discard: () => exchanges.discard(),
      };
    },
  };
}

/** On routes that ask for nobody: what clients say of themselves under the gateway's names goes, and credentials that are only for the gateway. */
function strippingRun(reserved: ReservedFields, everywhere: readonly AuthenticationScheme[]): Step["run"] | undefined {
  const forwarding = compileForwarding({ reserved, schemes: everywhere });
  if (forwarding === undefined) return undefined;
  return (ctx, next) => {
    forwarding(ctx, undefined);
    return next(ctx);
  };
}

/** Token exchanges over reloads: those whose settings stayed keep their tokens. */
class Exchanges {
  readonly #services: TokenExchangeServices;
  #held = new Map<string, TokenExchange>();
  #next = new Map<string, TokenExchange>();

  constructor(services: TokenExchangeServices) {
    this.#services = services;
  }

  of(config: NonNullable<AuthorizationPolicyConfig["forward"]>["exchange"]): TokenExchange | undefined {
    if (config === undefined) return undefined;
    const key = JSON.stringify(config);
    const known = this.#next.get(key) ?? this.#held.get(key) ?? new TokenExchange(config, this.#services);
    this.#next.set(key, known);
    return known;
  }

  commit(): void {
    this.#held = this.#next;
    this.#next = new Map();
  }

  discard(): void {
    this.#next = new Map();
  }
}

function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...new Set([...a, ...b])];
}

function clashes(policies: readonly AuthorizationPolicyConfig[], functions: ReadonlyMap<string, AuthorizationFunction>): readonly ConfigIssue[] {
  return policies
    .filter(({ name }) => functions.has(name.toLowerCase()))
    .map(({ name }) => ({ code: "policy-duplicate", severity: "error", message: `the policy '${name}' comes from code too`, path: ["Policies", "Authorization", name] }));
}

function noDefault(routeId: string): ConfigIssue {
  return {
    code: "authorization-policy-unknown",
    severity: "error",
    message: `AuthorizationPolicy 'Default' of route '${routeId}' is not defined`,
    hint: "define Policies:Authorization:Default, or one scheme in Policies:Authentication",
    entity: { kind: "route", id: routeId },
    path: ["AuthorizationPolicy"],
  };
}
