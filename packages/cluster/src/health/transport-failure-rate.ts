import { systemClock, type Clock } from "../clock.ts";
import type { ClusterState } from "../cluster-state.ts";
import type { DestinationState } from "../destination-state.ts";
import { PolicyRegistry } from "../policy-registry.ts";
import { metadataNumber } from "./consecutive-failures.ts";
import { FailureWindow } from "./failure-window.ts";
import { isTransportFailure, type PassiveHealthPolicy } from "./passive-policy.ts";

/** Metadata of a cluster that overrides the limit. */
export const transportFailureRateLimitKey = "TransportFailureRateHealthPolicy.RateLimit";

/** The policy of a cluster that names none. */
export const defaultPassiveHealthPolicy = "TransportFailureRate";

export interface TransportFailureRateOptions {
  /** Milliseconds that count. Default 60 000. */
  readonly window?: number | undefined;
  /** Requests in the window below which nothing is judged. Default 10. */
  readonly minimalTotalCount?: number | undefined;
  /** Share of failures from which a destination is unhealthy. Default 0.3. */
  readonly defaultRateLimit?: number | undefined;
  readonly clock?: Clock | undefined;
}

const defaultReactivation = 60_000;

/**
 * Unhealthy from a share of failed requests in a moving window, healthy below it. Failures of the transport only: an
 * answer with 500 is a success. Tried again after `ReactivationPeriod`, and not before the window has passed.
 */
export function transportFailureRate(options: TransportFailureRateOptions = {}): PassiveHealthPolicy {
  const { window = 60_000, minimalTotalCount = 10, defaultRateLimit = 0.3, clock = systemClock } = options;
  const windows = new WeakMap<DestinationState, FailureWindow>();
  const limits = new WeakMap<ClusterState["model"], number>();
  const limitOf = ({ model }: ClusterState): number => {
    let limit = limits.get(model);
    if (limit === undefined) {
      limit = metadataNumber(model.config.metadata, transportFailureRateLimitKey) ?? defaultRateLimit;
      limits.set(model, limit);
    }
    return limit;
  };
  return {
    name: "TransportFailureRate",
    requestEnded(cluster, destination, outcome, updater) {
      let counts = windows.get(destination);
      if (counts === undefined) windows.set(destination, (counts = new FailureWindow(window)));
      counts.add(clock.now(), isTransportFailure(outcome));
      const rate = counts.total < minimalTotalCount || counts.total === 0 ? 0 : counts.failed / counts.total;
      const isHealthy = rate < limitOf(cluster);
      if (destination.passiveHealth === (isHealthy ? "Healthy" : "Unhealthy")) return;
      const reason = `${counts.failed} of ${counts.total} requests failed in the last ${window / 1000} s`;
      const period = cluster.model.config.healthCheck?.passive?.reactivationPeriod ?? defaultReactivation;
      updater.setPassive(cluster, destination, isHealthy ? "Healthy" : "Unhealthy", Math.max(period, window), reason);
    },
  };
}

/** TransportFailureRate and `policies`, by name. Throws `PolicyError` when two share a name. */
export function createPassiveHealthPolicies(
  policies: Iterable<PassiveHealthPolicy> = [],
  options: TransportFailureRateOptions = {},
): PolicyRegistry<PassiveHealthPolicy> {
  return new PolicyRegistry("passive health policy", [transportFailureRate(options), ...policies]);
}
