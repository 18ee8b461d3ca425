export type {
  ClusterConfig,
  DestinationConfig,
  SessionAffinityConfig,
  SessionAffinityCookieConfig,
  HealthCheckConfig,
  ActiveHealthCheckConfig,
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
export type { ProxyConfig, ProxyConfigInput, WithTextDurations } from "./proxy-config.ts";
export { metadataValue } from "./proxy-config.ts";
export { ConfigError } from "./config-issue.ts";
export type { ConfigIssue } from "./config-issue.ts";
export type {
  ConfigProvider,
  ConfigValidator,
  ConfigFilter,
  ConfigChangeListener,
} from "./config-provider.ts";
