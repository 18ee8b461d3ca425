import type { AccessLogConfig, AffinityKeysConfig, EndpointConfig, ErrorPageConfig, GatewayConfig, HttpSysConfig, ServerEngine, ServerLimitsConfig, SocketDelegationConfig } from "@proxy/config";
import { defaultServerLimits } from "@proxy/http";
import type { MinDataRate, ServerLimits } from "@proxy/http";
import type { AccessLogSettings } from "../access-log/access-log.ts";
import { defaultListenUrl, parseListenUrl } from "../listeners/listen-url.ts";
import type { ListenUrl } from "../listeners/listen-url.ts";
import { listenerSettings } from "../listeners/listener-settings.ts";
import type { ListenerSettings } from "../listeners/listener-settings.ts";
import type { LogLevelName } from "../logging/log-level.ts";

/** What the process itself needs of a configuration. Read once: a change takes effect with the next start. */
export interface HostSettings {
  readonly addresses: readonly ListenerSettings[];
  readonly limits: ServerLimits;
  readonly engine: ServerEngine;
  readonly httpSys: HttpSysConfig;
  readonly delegation: SocketDelegationConfig;
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  readonly logLevel: LogLevelName;
  readonly accessLog: AccessLogSettings | undefined;
  readonly affinityKeys: AffinityKeysConfig;
  /** Addresses and networks. */
  readonly trustedProxies: readonly string[];
  readonly errorPages: readonly ErrorPageConfig[];
  readonly webSocketTelemetry: boolean;
}

/** What the command line says about the same things; it wins. */
export interface HostOverrides {
  readonly addresses?: readonly ListenUrl[] | undefined;
  readonly logLevel?: LogLevelName | undefined;
}

/** The configuration has to be one without `hostIssues`. */
export function hostSettingsOf(config: GatewayConfig, overrides: HostOverrides): HostSettings {
  const { server } = config;
  return {
    addresses: overrides.addresses?.map((address) => listenerSettings(address, server)) ?? configuredAddresses(config),
    limits: limitsOf(server.limits),
    engine: server.engine,
    httpSys: server.httpSys,
    delegation: server.delegation,
    shutdownTimeout: server.shutdownTimeout,
    logLevel: overrides.logLevel ?? config.logging.level,
    accessLog: accessLogSettings(server.accessLog),
    affinityKeys: server.affinityKeys,
    trustedProxies: server.trustedProxies,
    errorPages: server.errorPages,
    webSocketTelemetry: server.webSocketTelemetry,
  };
}

/** Throws `ListenUrlError`. The same place twice is one listener, except that every port 0 is another port. */
function configuredAddresses(config: GatewayConfig): readonly ListenerSettings[] {
  const { server } = config;
  const addresses = new Map<string, ListenerSettings>();
  for (const { text, path, endpoint } of declaredAddresses(config)) {
    const address = listenerSettings(parseListenUrl(text), server, endpoint);
    addresses.set(address.port === 0 ? path.join("/") : `${address.host ?? "*"}:${address.port}`, address);
  }
  return addresses.size === 0 ? [listenerSettings(parseListenUrl(defaultListenUrl), server)] : [...addresses.values()];
}

/** An address as the configuration has it. */
export interface DeclaredAddress {
  readonly text: string;
  /** For messages. */
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly endpoint?: EndpointConfig | undefined;
}

/** All addresses of a configuration, right or wrong. */
export function declaredAddresses({ urls, server }: GatewayConfig): readonly DeclaredAddress[] {
  return [
    ...urls.map((text, index) => ({ text, name: "Urls", path: ["Urls", index] })),
    ...Object.entries(server.endpoints)
      // Without one it has an error of its own.
      .filter(([, { url }]) => url)
      .map(([name, endpoint]) => ({ text: endpoint.url, endpoint, name: `endpoint '${name}'`, path: ["Server", "Endpoints", name, "Url"] })),
  ];
}

function accessLogSettings({ enabled, path, format, maskedParameters = [] }: AccessLogConfig): AccessLogSettings | undefined {
  if (!(enabled ?? (path !== undefined || format !== undefined))) return undefined;
  return { file: path, format: format === "Json" ? "json" : "combined", maskedParameters };
}

function limitsOf(limits: ServerLimitsConfig): ServerLimits {
  const d = defaultServerLimits;
  return {
    maxRequestLineSize: limits.maxRequestLineSize ?? d.maxRequestLineSize,
    maxRequestHeadersTotalSize: limits.maxRequestHeadersTotalSize ?? d.maxRequestHeadersTotalSize,
    maxRequestHeaderCount: limits.maxRequestHeaderCount ?? d.maxRequestHeaderCount,
    maxRequestBodySize: orUnlimited(limits.maxRequestBodySize, d.maxRequestBodySize),
    requestHeadersTimeout: limits.requestHeadersTimeout ?? d.requestHeadersTimeout,
    keepAliveTimeout: limits.keepAliveTimeout ?? d.keepAliveTimeout,
    minRequestBodyDataRate: dataRate(limits.minRequestBodyDataRate, d.minRequestBodyDataRate),
    minResponseDataRate: dataRate(limits.minResponseDataRate, d.minResponseDataRate),
    maxConcurrentConnections: orUnlimited(limits.maxConcurrentConnections, d.maxConcurrentConnections),
    maxConcurrentUpgradedConnections: orUnlimited(
      limits.maxConcurrentUpgradedConnections,
      d.maxConcurrentUpgradedConnections,
    ),
    maxRequestBufferSize: limits.maxRequestBufferSize ?? d.maxRequestBufferSize,
    maxResponseBufferSize: limits.maxResponseBufferSize ?? d.maxResponseBufferSize,
    maxRequestsPerConnection: orUnlimited(limits.maxRequestsPerConnection, d.maxRequestsPerConnection),
    halfClosedTimeout: limits.halfClosedTimeout ?? d.halfClosedTimeout,
  };
}

/** In the configuration null is "no limit" and undefined is "not said"; a server's limit is undefined when there is none. */
function orUnlimited(value: number | null | undefined, fallback: number | undefined): number | undefined {
  if (value === null) return undefined;
  return value ?? fallback;
}

function dataRate(
  rate: ServerLimitsConfig["minRequestBodyDataRate"],
  fallback: MinDataRate | undefined,
): MinDataRate | undefined {
  if (rate === null) return undefined;
  if (rate === undefined) return fallback;
  return { bytesPerSecond: rate.bytesPerSecond ?? 240, gracePeriod: rate.gracePeriod ?? 5000 };
}
