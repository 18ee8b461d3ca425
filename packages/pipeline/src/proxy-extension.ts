import type { ConfigIssue, KnownPolicies, ProxyConfig } from "@proxy/config";
import type { ExchangeHandler } from "@proxy/http";
import type { Step } from "./steps/step.ts";

/**
 * Steps with what they need compiled from the configuration as a whole, such as edge policies. One belongs to one proxy. A configuration is put
 * in force in three parts: `prepare` builds, the chains of routes are compiled (`bind` of the steps sees what was prepared), `commit` or `discard` ends it.
 */
export interface ProxyExtension {
  readonly name: string;
  /** The kinds of policies that it carries out, each with the names that are not from the configuration. */
  readonly policies: KnownPolicies;
  /** `steps` with its own among them. */
  steps(steps: readonly Step[]): readonly Step[];
  /** What is wrong with `config` beyond the rules of the configuration itself. */
  validate?(config: ProxyConfig): Iterable<ConfigIssue>;
  /** Builds what serves `config`, and may throw; what is in force stays as it is. */
  prepare(config: ProxyConfig): PreparedExtension;
  /** The proxy is closed. */
  close?(): void;
}

/** One of the two is called, once. Neither throws. */
export interface PreparedExtension {
  /**
   * What answers requests before a route is sought, by path (in the one normal form, exact): what another party sends clients back to, such as the
   * callback of a sign-in. No step sees them: what is to hold for all requests the extension has to put in front of them itself. In force and gone with the rest of the configuration; of two for one path the first extension's counts.
   */
  readonly endpoints?: ReadonlyMap<string, ExchangeHandler> | undefined;
  commit(): void;
  discard(): void;
}

/** Names of all by kind. */
export function joinPolicies(all: readonly KnownPolicies[]): KnownPolicies {
  const joined: Record<string, readonly string[]> = {};
  for (const policies of all) {
    for (const [kind, names] of Object.entries(policies) as [string, readonly string[] | undefined][]) {
      if (names !== undefined) joined[kind] = [...(joined[kind] ?? []), ...names];
    }
  }
  return joined;
}

/** The endpoints of all; undefined where there are none, so that requests are not asked. */
export function joinEndpoints(all: readonly PreparedExtension[]): ReadonlyMap<string, ExchangeHandler> | undefined {
  const joined = new Map<string, ExchangeHandler>();
  for (const { endpoints } of all) {
    for (const [path, handler] of endpoints ?? []) if (!joined.has(path)) joined.set(path, handler);
  }
  return joined.size === 0 ? undefined : joined;
}
