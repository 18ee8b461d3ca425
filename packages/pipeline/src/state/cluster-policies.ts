import {
  ClusterAffinity,
  createActiveHealthPolicies,
  createAffinityFailurePolicies,
  createAffinityPolicies,
  createAvailableDestinationsPolicies,
  createLoadBalancingPolicies,
  createPassiveHealthPolicies,
  defaultAvailableDestinationsPolicy,
  defaultLoadBalancingPolicy,
  defaultPassiveHealthPolicy,
  type ActiveHealthPolicy,
  type AffinityFailurePolicy,
  type AvailableDestinationsPolicy,
  type ClusterModel,
  type LoadBalancingPolicy,
  type PassiveHealthPolicy,
  type PolicyRegistry,
  type SessionAffinityPolicy,
} from "@proxy/cluster";
import type { ClusterConfig, ConfigIssue, KnownPolicies } from "@proxy/config";
import type { ReverseProxyOptions } from "../reverse-proxy.ts";

/** The policies that clusters may name, built in and the application's. */
export interface ClusterPolicies {
  readonly loadBalancing: PolicyRegistry<LoadBalancingPolicy>;
  readonly affinity: PolicyRegistry<SessionAffinityPolicy>;
  readonly affinityFailure: PolicyRegistry<AffinityFailurePolicy>;
  readonly availableDestinations: PolicyRegistry<AvailableDestinationsPolicy>;
  readonly activeHealth: PolicyRegistry<ActiveHealthPolicy>;
  readonly passiveHealth: PolicyRegistry<PassiveHealthPolicy>;
}

export type ClusterPolicyOptions = Pick<
  ReverseProxyOptions,
  | "loadBalancingPolicies"
  | "affinityPolicies"
  | "affinityFailurePolicies"
  | "affinityKeys"
  | "availableDestinationsPolicies"
  | "activeHealthPolicies"
  | "passiveHealthPolicies"
  | "random"
  | "clock"
>;

/** Throws `PolicyError` when two of one kind share a name. */
export function clusterPolicies(options: ClusterPolicyOptions): ClusterPolicies {
  const { clock } = options;
  return {
    loadBalancing: createLoadBalancingPolicies(options.loadBalancingPolicies, options.random),
    affinity: createAffinityPolicies({ policies: options.affinityPolicies, protector: options.affinityKeys, clock }),
    affinityFailure: createAffinityFailurePolicies(options.affinityFailurePolicies),
    availableDestinations: createAvailableDestinationsPolicies(options.availableDestinationsPolicies),
    activeHealth: createActiveHealthPolicies(options.activeHealthPolicies),
    passiveHealth: createPassiveHealthPolicies(options.passiveHealthPolicies, { clock }),
  };
}

/** Their names, for the checks of the configuration. */
export function knownNames(policies: ClusterPolicies): KnownPolicies {
  return {
    loadBalancing: policies.loadBalancing.names,
    affinity: policies.affinity.names,
    affinityFailure: policies.affinityFailure.names,
    availableDestinations: policies.availableDestinations.names,
    activeHealth: policies.activeHealth.names,
    passiveHealth: policies.passiveHealth.names,
  };
}

/** The policies that `config` names. Throws `PolicyError` or `AffinityError` where the checks were left out. */
export function policiesOf(config: ClusterConfig, policies: ClusterPolicies): Omit<ClusterModel, "config"> {
  const { healthCheck, sessionAffinity } = config;
  const passive = healthCheck?.passive;
  return {
    loadBalancing: policies.loadBalancing.get(config.loadBalancingPolicy || defaultLoadBalancingPolicy),
    availability: policies.availableDestinations.get(
      healthCheck?.availableDestinationsPolicy || defaultAvailableDestinationsPolicy,
    ),
    affinity: sessionAffinity?.enabled === true ? new ClusterAffinity(config, policies) : undefined,
    passiveHealth:
      passive?.enabled === true ? policies.passiveHealth.get(passive.policy || defaultPassiveHealthPolicy) : undefined,
  };
}

/** Settings that the policy they are for cannot work with. */
export function affinityIssues(cluster: ClusterConfig, policies: ClusterPolicies): readonly ConfigIssue[] {
  const settings = cluster.sessionAffinity;
  // A name that is missing is reported with the model.
  if (settings?.enabled !== true || !settings.affinityKeyName) return [];
  const fault = policies.affinity.find(settings.policy || "HashCookie")?.fault?.(settings);
  if (fault === undefined) return [];
  return [
    {
      code: "affinity-settings",
      severity: "error",
      message: `session affinity of cluster '${cluster.clusterId}': ${fault}`,
      entity: { kind: "cluster", id: cluster.clusterId },
      path: ["SessionAffinity"],
    },
  ];
}
