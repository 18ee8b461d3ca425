import type { ClusterConfig } from "../cluster-config.ts";
import type { IssueCollector, IssuePath } from "./issue-collector.ts";
import { checkNumber, checkTime } from "./validate-retry.ts";

/** `OutlierDetection` of a cluster; not looked at while it is off. */
export function checkOutlierDetection({ outlierDetection: settings }: ClusterConfig, found: IssueCollector): void {
  if (settings?.enabled !== true) return;
  const at = (member: string): IssuePath => ["OutlierDetection", member];
  const check = (member: string, value: number | null | undefined, from: number, to = Number.MAX_SAFE_INTEGER): void =>
    checkNumber("outlier-detection", at(member), value, [from, to], found);
  check("Consecutive5xx", settings.consecutive5xx, 0);
  check("ConsecutiveGatewayFailure", settings.consecutiveGatewayFailure, 0);
  check("MaxEjectionPercent", settings.maxEjectionPercent, 0, 100);
  check("SuccessRateStdevFactor", settings.successRateStdevFactor, 0);
  check("SuccessRateMinimumHosts", settings.successRateMinimumHosts, 2);
  check("SuccessRateRequestVolume", settings.successRateRequestVolume, 1);
  check("LatencyMinimumHosts", settings.latencyMinimumHosts, 2);
  check("LatencyRequestVolume", settings.latencyRequestVolume, 1);
  if (settings.latencyPercent !== 0) check("LatencyPercent", settings.latencyPercent, 101);
  const { latencyFloor } = settings;
  if (latencyFloor !== undefined && latencyFloor !== null && !(latencyFloor >= 0)) {
    found.error("outlier-detection", at("LatencyFloor"), "LatencyFloor must be 0 or more", { value: latencyFloor });
  }
  checkTime("outlier-detection", at("Interval"), settings.interval, found);
  checkTime("outlier-detection", at("BaseEjectionTime"), settings.baseEjectionTime, found);
  checkTime("outlier-detection", at("MaxEjectionTime"), settings.maxEjectionTime, found);
}

/** `CircuitBreaker` of a cluster. */
export function checkCircuitBreaker({ circuitBreaker: limits }: ClusterConfig, found: IssueCollector): void {
  if (limits === undefined || limits === null) return;
  const check = (member: string, value: number | null | undefined, from: number): void =>
    checkNumber("circuit-breaker", ["CircuitBreaker", member], value, [from, Number.MAX_SAFE_INTEGER], found);
  check("MaxRequests", limits.maxRequests, 1);
  check("MaxRequestsPerDestination", limits.maxRequestsPerDestination, 1);
  check("MaxPendingRequests", limits.maxPendingRequests, 0);
  if ((limits.maxRequests ?? limits.maxRequestsPerDestination ?? null) === null) {
    found.warn("circuit-breaker-nothing", ["CircuitBreaker"], "CircuitBreaker limits nothing", { hint: "give it MaxRequests, MaxRequestsPerDestination or both" });
  }
  checkTime("circuit-breaker", ["CircuitBreaker", "PendingTimeout"], limits.pendingTimeout, found);
  checkTime("circuit-breaker", ["CircuitBreaker", "RetryAfter"], limits.retryAfter, found);
}
