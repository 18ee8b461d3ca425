import { systemClock, type Clock } from "../clock.ts";
import { PolicyRegistry } from "../policy-registry.ts";
import { redistribute, return503Error, type AffinityFailurePolicy } from "./failure-policy.ts";
import { arrCookie, hashCookie } from "./hash-cookie.ts";
import { createKeyRing, type KeyProtector } from "./key-ring.ts";
import type { SessionAffinityPolicy } from "./policy.ts";
import { customHeader, protectedCookie } from "./protected-key.ts";

/** The policies of a cluster that names none. */
export const defaultAffinityPolicy = "HashCookie";
/** The failure policy of a cluster that names none. */
export const defaultAffinityFailurePolicy = "Redistribute";

export interface AffinityPolicyOptions {
  /** Policies beside the built-in ones. */
  readonly policies?: Iterable<SessionAffinityPolicy> | undefined;
  /** For `Cookie` and `CustomHeader`. Default: a key ring of its own, see `KeyRingOptions`. */
  readonly protector?: KeyProtector | undefined;
  readonly clock?: Clock | undefined;
}

/** HashCookie, ArrCookie, Cookie, CustomHeader and those given, by name. Throws `PolicyError` when two share a name. */
export function createAffinityPolicies(options: AffinityPolicyOptions = {}): PolicyRegistry<SessionAffinityPolicy> {
  const { clock = systemClock, protector = createKeyRing() } = options;
  return new PolicyRegistry("session affinity policy", [
    hashCookie(clock),
    arrCookie(clock),
    protectedCookie(protector, clock),
    customHeader(protector),
    ...(options.policies ?? []),
  ]);
}

/** Redistribute, Return503Error and those given, by name. Throws `PolicyError` when two share a name. */
export function createAffinityFailurePolicies(
  policies: Iterable<AffinityFailurePolicy> = [],
): PolicyRegistry<AffinityFailurePolicy> {
  return new PolicyRegistry("affinity failure policy", [redistribute, return503Error, ...policies]);
}
