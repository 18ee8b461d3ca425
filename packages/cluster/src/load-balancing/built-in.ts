import { PolicyRegistry } from "../policy-registry.ts";
import { systemRandom, type RandomSource } from "../random-source.ts";
import { firstAlphabetical } from "./first-alphabetical.ts";
import { leastRequests } from "./least-requests.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { powerOfTwoChoices } from "./power-of-two-choices.ts";
import { random } from "./random.ts";
import { roundRobin } from "./round-robin.ts";

/** The policy of a cluster that names none. */
export const defaultLoadBalancingPolicy = "PowerOfTwoChoices";

/** The five policies that need no registration. */
export function builtInLoadBalancingPolicies(source: RandomSource = systemRandom): readonly LoadBalancingPolicy[] {
  return [powerOfTwoChoices(source), random(source), roundRobin, leastRequests, firstAlphabetical];
}

/**
 * The built-in policies and `policies`, by name ignoring case. Throws `PolicyError` when two share a name; a built-in
 * one cannot be replaced.
 */
export function createLoadBalancingPolicies(
  policies: Iterable<LoadBalancingPolicy> = [],
  source: RandomSource = systemRandom,
): PolicyRegistry<LoadBalancingPolicy> {
  return new PolicyRegistry("load balancing policy", [...builtInLoadBalancingPolicies(source), ...policies]);
}
