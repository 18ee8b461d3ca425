export type { ErrorPageConfig } from "./error-page-config.ts";
export type { CertificateConfig } from "./certificate-config.ts";
export type { RetryBudgetConfig, RetryCondition, RetryConfig } from "./retry-config.ts";
export type { MirrorConfig, TrafficSplitConfig, TrafficSplitStickyConfig } from "./traffic-config.ts";
export type {
  ClusterConfig,
  CircuitBreakerConfig,
  ConsistentHashConfig,
  DestinationResolverConfig,
  DestinationConfig,
  SessionAffinityConfig,
  SessionAffinityCookieConfig,
  HealthCheckConfig,
  ActiveHealthCheckConfig,
  OutlierDetectionConfig,
  PassiveHealthCheckConfig,
  SslProtocol,
  HttpClientConfig,
  WebProxyConfig,
  HttpVersionText,
  VersionPolicy,
  HttpRequestConfig,
} from "./cluster-config.ts";
export type {
  RouteConfig,
  RouteMatch,
  RouteHeader,
  RouteQueryParameter,
  HeaderMatchMode,
  QueryParameterMatchMode,
  RespondAction,
  RedirectAction,
} from "./route-config.ts";
export type {
  ApiKeyConfig,
  ApiKeyEntryConfig,
  AuthenticationSchemeConfig,
  AuthorizationPolicyConfig,
  BearerConfig,
  ClientCertificateConfig,
  ClientCertificateHeaderFormat,
  ForwardAuthConfig,
  IdentityForwardingConfig,
  TokenExchangeConfig,
} from "./authentication-config.ts";
export type {
  CodeFlowConfig,
  CookieSameSite,
  CookieSessionConfig,
  OAuth2Config,
  OpenIdConnectConfig,
  RemoteSignInConfig,
  SessionKeysConfig,
  WsFederationConfig,
} from "./sign-in-config.ts";
export type {
  AccessPolicyConfig,
  CompressionPolicyConfig,
  OutputCacheCookies,
  OutputCacheMode,
  OutputCachePolicyConfig,
  ContentEncoding,
  CorsPolicyConfig,
  DefinedPolicyKind,
  PoliciesConfig,
  RateLimiterAlgorithm,
  RateLimiterPartition,
  RateLimiterPolicyConfig,
  StaticFilesPolicyConfig,
  TimeoutPolicyConfig,
} from "./policies-config.ts";
export { mergePolicies, policyNamed, policySections } from "./policies-config.ts";
export { defaultCallbackPath, defaultSignInScheme } from "./validation/validate-sign-in.ts";
export type { PoliciesConfigInput, ProxyConfig, ProxyConfigInput, WithTextDurations, DurationKey } from "./proxy-config.ts";
export { metadataValue } from "./proxy-config.ts";
export { suggest } from "./suggest.ts";
export type {
  GatewayConfig,
  ServerConfig,
  EndpointConfig,
  EndpointDefaultsConfig,
  EndpointProtocols,
  ClientCertificateMode,
  SniConfig,
  AccessLogConfig,
  AffinityKeysConfig,
  HttpSysConfig,
  SocketDelegationConfig,
  ServerEngine,
  ServerLimitsConfig,
  MinDataRateConfig,
  LogLevel,
  LoggingConfig,
} from "./gateway-config.ts";
export { defaultServerConfig } from "./gateway-config.ts";
export { defineConfig, defineGatewayConfig } from "./define-config.ts";
export type { GatewayConfigInput } from "./define-config.ts";
export { parseDuration, formatDuration } from "./duration.ts";
export { routePolicies, effectiveBodyLimit } from "./route-policies.ts";
export type { RoutePolicies, NamedPolicy } from "./route-policies.ts";
export { memoryProvider } from "./memory-provider.ts";
export type { MemoryProvider, UnnamedProxyConfig } from "./memory-provider.ts";
export { createConfigManager } from "./config-manager.ts";
export type { ConfigManager, ConfigManagerOptions } from "./config-manager.ts";
export type { Timers } from "./timers.ts";
export { validateConfig, checkConfig } from "./validation/validate-config.ts";
export type { ValidateOptions, CheckedConfig } from "./validation/validate-config.ts";
export type { KnownPolicies, PolicyKind } from "./validation/known-policies.ts";
export { builtInPolicies } from "./validation/known-policies.ts";
export { digestOf } from "./validation/validate-authentication.ts";
export { validatePolicies } from "./validation/validate-policies.ts";
export { hostPatternFault } from "./validation/host-pattern.ts";
export { addressFault, nameServerFault } from "./validation/destination-address.ts";
export { clusterEquals, clusterSettingsEqual, destinationEquals, httpClientEquals, routeEquals } from "./equality.ts";
export { checkSalvaged } from "./salvaged-config.ts";
export { configIssueCodes } from "./issue-codes.ts";
export { ConfigError, configErrorOf, formatIssue } from "./config-issue.ts";
export type { ConfigIssue } from "./config-issue.ts";
export type {
  ConfigProvider,
  ConfigValidator,
  ConfigFilter,
  ConfigChangeListener,
} from "./config-provider.ts";
