import { metadataValue } from "@proxy/config";
import type { DestinationState } from "../destination-state.ts";
import { PolicyRegistry } from "../policy-registry.ts";
import type { ActiveHealthPolicy, ProbeResult } from "./active-policy.ts";

/** Metadata of a cluster that overrides the threshold. */
export const consecutiveFailuresThresholdKey = "ConsecutiveFailuresHealthPolicy.Threshold";

/** The policy of a cluster that names none. */
export const defaultActiveHealthPolicy = "ConsecutiveFailures";

export interface ConsecutiveFailuresOptions {
  /** Failed probes in a row until unhealthy. Default 2. */
  readonly defaultThreshold?: number | undefined;
}

/**
 * Unhealthy after so many failed probes in a row; healthy after one that succeeded (a status of 200 to 299). In between the
 * health stays what it was.
 */
export function consecutiveFailures(options: ConsecutiveFailuresOptions = {}): ActiveHealthPolicy {
  const failures = new WeakMap<DestinationState, number>();
  const judgeOne = (result: ProbeResult, threshold: number) => {
    const { destination, status } = result;
    if (status !== undefined && status >= 200 && status <= 299) {
      failures.delete(destination);
      return { destination, health: "Healthy", reason: `a probe was answered with ${status}` } as const;
    }
    const count = (failures.get(destination) ?? 0) + 1;
    failures.set(destination, count);
    if (count < threshold) return { destination, health: destination.activeHealth, reason: "" };
    const last = status === undefined ? (result.error?.message ?? "no answer") : `status ${status}`;
    return { destination, health: "Unhealthy", reason: `${count} probes in a row failed, the last with: ${last}` } as const;
  };
  return {
    name: "ConsecutiveFailures",
    judge(cluster, results) {
      const configured = metadataNumber(cluster.model.config.metadata, consecutiveFailuresThresholdKey);
      const threshold = configured ?? options.defaultThreshold ?? 2;
      return results.map((result) => judgeOne(result, threshold));
    },
  };
}

/** ConsecutiveFailures and `policies`, by name. Throws `PolicyError` when two share a name. */
export function createActiveHealthPolicies(
  policies: Iterable<ActiveHealthPolicy> = [],
  options: ConsecutiveFailuresOptions = {},
): PolicyRegistry<ActiveHealthPolicy> {
  return new PolicyRegistry("active health policy", [consecutiveFailures(options), ...policies]);
}

/** A number in metadata; undefined when it is not there or no number (as YARP has it). */
export function metadataNumber(
  metadata: Readonly<Record<string, string>> | undefined,
  key: string,
): number | undefined {
  const text = metadataValue(metadata, key)?.trim();
  if (!text) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
