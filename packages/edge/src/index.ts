export { createEdgePolicies } from "./create-edge-policies.ts";
export type { EdgePoliciesOptions } from "./create-edge-policies.ts";
export { edgeSteps } from "./edge-policy-kind.ts";
export type { CompiledPolicies, EdgePolicyKind, EdgeStepName } from "./edge-policy-kind.ts";
export { AnsweredExchange } from "./exchange/answered-exchange.ts";
export type { HeadChange } from "./exchange/answered-exchange.ts";
export { addVary } from "./exchange/vary.ts";
export { corsStep } from "./cors/cors-step.ts";
