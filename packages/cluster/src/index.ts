export { DestinationState } from "./destination-state.ts";
export type { DestinationModel, HealthStatus } from "./destination-state.ts";
export { ClusterState } from "./cluster-state.ts";
export type { ClusterModel, DestinationSet } from "./cluster-state.ts";
export type { LoadBalancingPolicy } from "./load-balancing/policy.ts";
