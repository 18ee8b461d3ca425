import { configErrorOf } from "@proxy/config";
import type { ConfigIssue, GatewayConfig, ServerLimitsConfig } from "@proxy/config";
import { defaultServerLimits } from "@proxy/http";
import type { MinDataRate, ServerLimits } from "@proxy/http";
import type { AccessLogSettings } from "../access-log/access-log.ts";
import type { FrontServerKind } from "../listeners/front-server-choice.ts";
import { defaultListenUrl, ListenUrlError, parseListenUrl } from "../listeners/listen-url.ts";
import type { ListenUrl } from "../listeners/listen-url.ts";
import type { LogLevelName } from "../logging/log-level.ts";

/** What the process itself needs of a configuration. Read once: a change takes effect with the next start. */
export interface HostSettings {
  readonly addresses: readonly ListenUrl[];
  readonly limits: ServerLimits;
  readonly serverKind: FrontServerKind;
  /** Milliseconds. */
  readonly shutdownTimeout: number;
  readonly logLevel: LogLevelName;
  readonly accessLog: AccessLogSettings | undefined;
}

/** What the command line says about the same things; it wins. */
export interface HostOverrides {
  readonly addresses?: readonly ListenUrl[] | undefined;
  readonly logLevel?: LogLevelName | undefined;
}

/** Throws `ConfigError` with an issue for each address that cannot be listened on. */
export function hostSettingsOf(config: GatewayConfig, overrides: HostOverrides): HostSettings {
  const { server } = config;
  return {
    addresses: overrides.addresses ?? configuredAddresses(config),
    limits: limitsOf(server.limits),
    serverKind: "node",
    shutdownTimeout: server.shutdownTimeout,
    logLevel: overrides.logLevel ?? config.logging.level,
    accessLog: server.accessLog ? { file: undefined, format: "combined" } : undefined,
  };
}

function configuredAddresses(config: GatewayConfig): readonly ListenUrl[] {
  const addresses = new Map<string, ListenUrl>();
  const issues: ConfigIssue[] = [];
  const take = (text: string, name: string, path: readonly (string | number)[]): void => {
    try {
      const address = parseListenUrl(text);
      // The same place twice is one listener, except that every port 0 is another port.
      addresses.set(address.port === 0 ? path.join("/") : `${address.host ?? "*"}:${address.port}`, address);
    } catch (error) {
      if (!(error instanceof ListenUrlError)) throw error;
      issues.push({
        code: "ListenUrlInvalid",
        severity: "error",
        message: `${name}: ${error.message}`,
        path,
        value: text,
      });
    }
  };
  config.urls.forEach((text, index) => take(text, "Urls", ["Urls", index]));
  for (const [name, endpoint] of Object.entries(config.server.endpoints)) {
    take(endpoint.url, `endpoint '${name}'`, ["Server", "Endpoints", name, "Url"]);
  }
  if (issues.length > 0) throw configErrorOf(issues);
  return addresses.size === 0 ? [parseListenUrl(defaultListenUrl)] : [...addresses.values()];
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
