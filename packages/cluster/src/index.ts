export { DestinationState } from "./destination-state.ts";
export type { DestinationModel, HealthStatus } from "./destination-state.ts";
export { ClusterState, destinationSet } from "./cluster-state.ts";
export type { ClusterModel, DestinationSet } from "./cluster-state.ts";
export { ClusterStates } from "./cluster-states.ts";
export type { ClusterChangeListener, ClusterModelBuilder, PreparedClusters } from "./cluster-states.ts";
export { PolicyError, PolicyRegistry } from "./policy-registry.ts";
export type { NamedPolicy } from "./policy-registry.ts";
export { systemRandom } from "./random-source.ts";
export type { RandomSource } from "./random-source.ts";
export type { LoadBalancingPolicy } from "./load-balancing/policy.ts";
export {
  builtInLoadBalancingPolicies,
  createLoadBalancingPolicies,
  defaultLoadBalancingPolicy,
} from "./load-balancing/built-in.ts";
export { powerOfTwoChoices } from "./load-balancing/power-of-two-choices.ts";
export { random } from "./load-balancing/random.ts";
export { roundRobin } from "./load-balancing/round-robin.ts";
export { leastRequests } from "./load-balancing/least-requests.ts";
export { firstAlphabetical } from "./load-balancing/first-alphabetical.ts";
export { allDestinations } from "./availability/policy.ts";
export type { AvailableDestinationsPolicy } from "./availability/policy.ts";
