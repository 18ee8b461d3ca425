import type { ClusterConfig } from "@proxy/config";
import type { DestinationState } from "../destination-state.ts";
import { PolicyRegistry } from "../policy-registry.ts";
import type { AvailableDestinationsPolicy } from "./policy.ts";

/** The policy of a cluster that names none. */
export const defaultAvailableDestinationsPolicy = "HealthyOrPanic";

/** Leaves out what an enabled check found unhealthy and what outlier detection ejected: possibly everything, and requests get 503. */
export const healthyAndUnknown: AvailableDestinationsPolicy = { name: "HealthyAndUnknown", available: notUnhealthy };

/** The same, but when all are unhealthy all are available: the checks may be what is wrong. */
export const healthyOrPanic: AvailableDestinationsPolicy = {
  name: "HealthyOrPanic",
  available(cluster, all) {
    const available = notUnhealthy(cluster, all);
    return available.length === 0 ? all : available;
  },
};

/** The built-in policies and `policies`, by name. Throws `PolicyError` when two share a name. */
export function createAvailableDestinationsPolicies(
  policies: Iterable<AvailableDestinationsPolicy> = [],
): PolicyRegistry<AvailableDestinationsPolicy> {
  return new PolicyRegistry("available destinations policy", [healthyOrPanic, healthyAndUnknown, ...policies]);
}

function notUnhealthy(cluster: ClusterConfig, all: readonly DestinationState[]): readonly DestinationState[] {
  const byActive = cluster.healthCheck?.active?.enabled === true;
  const byPassive = cluster.healthCheck?.passive?.enabled === true;
  const byOutlier = cluster.outlierDetection?.enabled === true;
  const isFit = (each: DestinationState): boolean =>
    !(byOutlier && each.ejected) &&
    !(byActive && each.activeHealth === "Unhealthy") && !(byPassive && each.passiveHealth === "Unhealthy");
  return all.every(isFit) ? all : all.filter(isFit);
}
