export { DestinationState } from "./destination-state.ts";
export type { DestinationModel, HealthStatus } from "./destination-state.ts";
export { ClusterState, destinationSet, firstTier } from "./cluster-state.ts";
export type { ClusterModel, DestinationSet } from "./cluster-state.ts";
export { ClusterStates } from "./cluster-states.ts";
export type { ClusterChangeListener, ClusterModelBuilder, PreparedClusters } from "./cluster-states.ts";
export { PolicyError, PolicyRegistry } from "./policy-registry.ts";
export type { NamedPolicy } from "./policy-registry.ts";
export { fractionOf, systemRandom } from "./random-source.ts";
export type { RandomSource } from "./random-source.ts";
export type { LoadBalancingPolicy, PickContext } from "./load-balancing/policy.ts";
export { DestinationDrain, Drains } from "./drains.ts";
export type { DrainListener, DrainOptions, DrainTransition } from "./drains.ts";
export { cookieValue, setCookie } from "./affinity/cookie.ts";
export { keyFraction } from "./key-fraction.ts";
export { RetryBudget } from "./retry-budget.ts";
export type { RetryBudgetOptions } from "./retry-budget.ts";
export {
  builtInLoadBalancingPolicies,
  createLoadBalancingPolicies,
  defaultLoadBalancingPolicy,
} from "./load-balancing/built-in.ts";
export { powerOfTwoChoices } from "./load-balancing/power-of-two-choices.ts";
export { random } from "./load-balancing/random.ts";
export { roundRobin } from "./load-balancing/round-robin.ts";
export { leastRequests } from "./load-balancing/least-requests.ts";
export { consistentHash } from "./load-balancing/consistent-hash.ts";
export { firstAlphabetical } from "./load-balancing/first-alphabetical.ts";
export { allDestinations } from "./availability/policy.ts";
export type { AvailableDestinationsPolicy } from "./availability/policy.ts";
export {
  createAvailableDestinationsPolicies,
  defaultAvailableDestinationsPolicy,
  healthyAndUnknown,
  healthyOrPanic,
} from "./availability/healthy.ts";
export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export { AffinityError } from "./affinity/affinity-error.ts";
export type { AffinityErrorCode } from "./affinity/affinity-error.ts";
export {
  createAffinityFailurePolicies,
  createAffinityPolicies,
  defaultAffinityFailurePolicy,
  defaultAffinityPolicy,
} from "./affinity/built-in.ts";
export type { AffinityPolicyOptions } from "./affinity/built-in.ts";
export { ClusterAffinity } from "./affinity/cluster-affinity.ts";
export type { AffinityPolicies } from "./affinity/cluster-affinity.ts";
export { redistribute, return503Error } from "./affinity/failure-policy.ts";
export type { AffinityFailurePolicy } from "./affinity/failure-policy.ts";
export { arrCookie, hashCookie } from "./affinity/hash-cookie.ts";
export { createKeyRing, createRotatableKeyRing } from "./affinity/key-ring.ts";
export type { KeyProtector, KeyRingOptions, RotatableKeyRing } from "./affinity/key-ring.ts";
export type { AffinityFailureReason, AffinityResult, AffinityStatus, SessionAffinityPolicy } from "./affinity/policy.ts";
export { customHeader, protectedCookie } from "./affinity/protected-key.ts";
export { HealthLog } from "./health/health-log.ts";
export type { HealthKind, HealthTransition, ProbeRecord } from "./health/health-log.ts";
export { HealthUpdater } from "./health/health-updater.ts";
export type { HealthListener, HealthUpdaterOptions, NewHealth } from "./health/health-updater.ts";
export type { ActiveHealthPolicy, ProbeResult } from "./health/active-policy.ts";
export {
  consecutiveFailures,
  consecutiveFailuresThresholdKey,
  createActiveHealthPolicies,
  defaultActiveHealthPolicy,
} from "./health/consecutive-failures.ts";
export type { ConsecutiveFailuresOptions } from "./health/consecutive-failures.ts";
export { isTransportFailure } from "./health/passive-policy.ts";
export type { PassiveHealthPolicy, RequestOutcome } from "./health/passive-policy.ts";
export {
  createPassiveHealthPolicies,
  defaultPassiveHealthPolicy,
  transportFailureRate,
  transportFailureRateLimitKey,
} from "./health/transport-failure-rate.ts";
export type { TransportFailureRateOptions } from "./health/transport-failure-rate.ts";
export { probeRequest, probeUrl, probeUserAgent } from "./health/probe-request.ts";
export type { ProbeRequest, ProbeRequestFactory } from "./health/probe-request.ts";
export { OutlierDetector } from "./outlier/outlier-detector.ts";
export type { OutlierDetectorOptions } from "./outlier/outlier-detector.ts";
export { ConcurrencyLimiter } from "./limits/concurrency-limiter.ts";
export type { RoomPicker, WaitEnd, WaitRequest } from "./limits/concurrency-limiter.ts";
export { createHealthMonitor } from "./health/health-monitor.ts";
export type { HealthMonitor, HealthMonitorOptions } from "./health/health-monitor.ts";
export type { Probe } from "./health/probes.ts";
export { driveSchedule, Schedule } from "./health/schedule.ts";
export type { Drivable, ScheduleOptions } from "./health/schedule.ts";
export { ResolverError } from "./resolvers/resolver.ts";
export type { DestinationResolver, Destinations, ResolvedDestinations } from "./resolvers/resolver.ts";
export { resolvingProvider } from "./resolvers/resolving-provider.ts";
export { createConfiguredResolver } from "./resolvers/configured-resolver.ts";
export type { ConfiguredResolverOptions } from "./resolvers/configured-resolver.ts";
export { createDnsResolver } from "./resolvers/dns-resolver.ts";
export type { DnsAddress, DnsLookup, DnsResolverOptions, DnsService } from "./resolvers/dns-resolver.ts";
export { nodeDnsLookup } from "./resolvers/node-dns.ts";
export type { NodeDnsOptions } from "./resolvers/node-dns.ts";
