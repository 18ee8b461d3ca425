import { PolicyRegistry } from "../policy-registry.ts";
import { systemRandom, type RandomSource } from "../random-source.ts";
import { consistentHash } from "./consistent-hash.ts";
import { firstAlphabetical } from "./first-alphabetical.ts";
import { leastRequests } from "./least-requests.ts";
import type { LoadBalancingPolicy } from "./policy.ts";
import { powerOfTwoChoices } from "./power-of-two-choices.ts";
import { random } from "./random.ts";
import { roundRobin } from "./round-robin.ts";

/** The policy of a cluster that names none. */
export const defaultLoadBalancingPolicy = "PowerOfTwoChoices";

/** YARP's five policies. */
export function builtInLoadBalancingPolicies(source: RandomSource = systemRandom): readonly LoadBalancingPolicy[] {
  return [powerOfTwoChoices(source), random(source), roundRobin, leastRequests, firstAlphabetical];
}

/**
 * YARP's five policies, ConsistentHash and `policies`, by name ignoring case. Throws `PolicyError` when two share a name; a built-in
 * one cannot be replaced.
 */
export function createLoadBalancingPolicies(
  policies: Iterable<LoadBalancingPolicy> = [],
  source: RandomSource = systemRandom,
): PolicyRegistry<LoadBalancingPolicy> {
  return new PolicyRegistry("load balancing policy", [...builtInLoadBalancingPolicies(source), consistentHash(source), ...policies]);
}
