export { createReverseProxy } from "./create-reverse-proxy.ts";
export { createProxyValidator } from "./proxy-validator.ts";
export type { ReverseProxy, ReverseProxyOptions } from "./reverse-proxy.ts";
export type { NodeHandler, NodeUpgradeHandler } from "./node-handler.ts";
export type { MirrorCounts, MirrorModel } from "./traffic/mirrors.ts";
export type { SplitChoice, TrafficSplit } from "./traffic/traffic-split.ts";
export type { DelegationFailure, RequestDelegator } from "./request-delegator.ts";
export type { RetryPolicy } from "./retry/retry-policy.ts";
export { ProxyContext } from "./context.ts";
export type { CacheOutcome } from "./context.ts";
export type { RouteModel } from "./route-model.ts";
export type { ProxyClusterModel, ProxyDestinationModel } from "./state/cluster-models.ts";
export type { HttpClientFactory } from "./state/model-builder.ts";
export type { ProxyState } from "./state/proxy-state.ts";
export type { SharedClient } from "./state/shared-client.ts";
export type { PreparedExtension, ProxyExtension } from "./proxy-extension.ts";
export type { Next, Step } from "./steps/step.ts";
export { compileSteps, insertAfter, insertBefore } from "./steps/runner.ts";
export { defaultSteps } from "./steps/default-steps.ts";
export type { DefaultStepOptions } from "./steps/default-steps.ts";
export { proxyEventNames } from "./event-names.ts";
export { proxyIssueCodes } from "./issue-codes.ts";
export { silentLogger } from "./logger.ts";
export type { LogLevel, ProxyLogger } from "./logger.ts";
export { answerFailure, answerMethodNotAllowed, answerStatus } from "./answer.ts";
export { presentedExchange, WrappedExchange } from "./wrapped-exchange.ts";
export { compileErrorPages } from "./error-pages/error-pages.ts";
export type { ErrorPage, ErrorPageFault, ErrorPages } from "./error-pages/error-pages.ts";
export { clientScheme } from "./transforms/client-scheme.ts";
export { trustedPeers } from "./trusted-peers.ts";
export type { Trust } from "./trusted-peers.ts";
export type {
  OpenTransformFactory,
  RequestTransform,
  ResponseTransform,
  TrailersTransform,
  TransformFactory,
  TransformPlan,
} from "./transforms/transform.ts";
export { onlyIf, transforms } from "./transforms/transforms.ts";
export type {
  BodyOptions,
  CookieChange,
  ForwardedOptions,
  JsonChange,
  NodeFormatName,
  OnResponses,
  RedirectToHttpsOptions,
  ResponseBodyOptions,
  SecurityHeadersOptions,
  SetOrAppend,
  TransformConfig,
  XForwardedAction,
  XForwardedOptions,
} from "./transforms/transforms.ts";
export { createTransformer } from "./transforms/direct-transformer.ts";
export type { CreateTransformerOptions } from "./transforms/direct-transformer.ts";
export type { TransformBuilder } from "./transforms/transform-builder.ts";
export type { TransformProvider } from "./transforms/transform-provider.ts";
export { takeHeader } from "./transforms/take-header.ts";
export type { TransformFault, TransformSettings } from "./transforms/transform-settings.ts";
export { compileRouteTable } from "./routing/index.ts";
export type {
  ConstraintFactory,
  RouteConstraint,
  RouteEntry,
  RouteExplanation,
  RouteOutcome,
  RouteMatched,
  RouteMatchResult,
  RouteMethodNotAllowed,
  RouteNotFound,
  RouteRequest,
  RouteTable,
  RouteTableOptions,
  RouteValues,
} from "./routing/index.ts";
