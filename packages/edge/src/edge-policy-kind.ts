import type { ConfigIssue, DefinedPolicyKind, PoliciesConfig, ProxyConfig } from "@proxy/config";
import type { Exchange, ExchangeHandler } from "@proxy/http";
import type { RouteModel, Step } from "@proxy/pipeline";

/**
 * The steps of edge policies, in the order in which a request meets them; all stand before the step `answer`, so that they hold for routes
 * that respond or redirect too, and behind `timeout`.
 *
 * - `access` refuses what may not pass at all: cheap, and before anything is counted
 * - `cors` answers preflights, which carry no credentials, and writes its fields on every answer of the steps behind
 * - `compression` compresses the answers of the steps behind it
 * - `rate-limiter` counts by address, header, route: also those who have yet to say who they are
 * - `authentication`, `authorization`: who it is, and what they may
 * - `rate-limiter-user` counts by user
 * - `static-files` answers with files
 * - `output-cache`: what need not be asked again, for those who may ask
 */
export const edgeSteps = ["access", "cors", "compression", "rate-limiter", "authentication", "authorization", "rate-limiter-user", "static-files", "output-cache"] as const;

/** One of `edgeSteps`. */
export type EdgeStepName = (typeof edgeSteps)[number];

export type PolicyConfigOf<K extends DefinedPolicyKind> = NonNullable<PoliciesConfig[K]>[number];

/** One kind of policies: a folder of this package. */
export interface EdgePolicyKind<K extends DefinedPolicyKind = DefinedPolicyKind> {
  readonly kind: K;
  /** Those of `edgeSteps` that it fills. */
  readonly steps: readonly EdgeStepName[];
  /** Policies from code, beside those of the configuration. */
  readonly code: readonly PolicyConfigOf<K>[];
  /** Names of those that are functions of the application's own. */
  readonly names?: readonly string[] | undefined;
  /** What is wrong in the whole; the policies themselves were checked. */
  validate?(config: ProxyConfig, policies: readonly PolicyConfigOf<K>[]): readonly ConfigIssue[];
  /** Builds what serves `policies`, without touching what is in force. */
  compile(policies: readonly PolicyConfigOf<K>[], config: ProxyConfig): CompiledPolicies;
  /** The proxy is closed. */
  close?(): void;
}

/** A request that an endpoint is to answer, as the steps see those of routes. */
export interface EndpointRequest {
  exchange: Exchange;
  /** Named for the endpoint: limits by route count it apart. */
  readonly route: { readonly config: { readonly routeId: string } };
  /** Nobody left anything. */
  item(key: symbol): undefined;
}

/** Answers instead of an endpoint, or calls `next`, at once or later. */
export type EndpointGuard = (request: EndpointRequest, next: (request: EndpointRequest) => void | Promise<void>) => void | Promise<void>;

export interface CompiledPolicies {
  /** What answers before routing, by path. */
  readonly endpoints?: ReadonlyMap<string, ExchangeHandler> | undefined;
  /** What holds for the endpoints of all kinds: the policy for requests that name none. */
  readonly guard?: EndpointGuard | undefined;
  /** What runs in `step` for requests of `route`; undefined: nothing. */
  bind(step: EdgeStepName, route: RouteModel): Step["run"] | undefined;
  /** In force from now on. */
  commit?(): void;
  /** Never to be in force. */
  discard?(): void;
}
