import { randomUUID } from "node:crypto";
import type { ConfigIssue } from "./config-issue.ts";
import { configErrorOf, shorten } from "./config-issue.ts";
import { durationForms, parseDuration } from "./duration.ts";
import type { GatewayConfig, LogLevel, ServerConfig } from "./gateway-config.ts";
import { defaultServerConfig } from "./gateway-config.ts";
import type { PoliciesConfig } from "./policies-config.ts";
import type { DurationKey, PoliciesConfigInput, ProxyConfig, ProxyConfigInput, WithTextDurations } from "./proxy-config.ts";

/** The whole gateway as written in code; whatever is left out has its default. */
export interface GatewayConfigInput {
  /** One address, several separated by `;`, or a list. */
  readonly urls?: string | readonly string[] | undefined;
  readonly server?: WithTextDurations<Partial<ServerConfig>> | undefined;
  readonly reverseProxy?: ProxyConfigInput | ProxyConfig | undefined;
  readonly logging?: { readonly level?: LogLevel | undefined } | undefined;
}

const durationKeys: ReadonlySet<string> = new Set<DurationKey>([
  "timeout",
  "expiration",
  "maxAge",
  "interval",
  "reactivationPeriod",
  "slowStart",
  "refreshPeriod",
  "minimumRefreshPeriod",
  "perTryTimeout",
  "baseEjectionTime",
  "maxEjectionTime",
  "latencyFloor",
  "pendingTimeout",
  "retryAfter",
  "connectTimeout",
  "queueTimeout",
  "idleTimeout",
  "connectionLifetime",
  "activityTimeout",
  "requestHeadersTimeout",
  "keepAliveTimeout",
  "proxyProtocolTimeout",
  "gracePeriod",
  "shutdownTimeout",
  "window",
  "duration",
  "expirationTimeSpan",
  "lockTimeout",
  "clockSkew",
  "cacheDuration",
  "refreshInterval",
  "expireTimeSpan",
  "absoluteLifetime",
  "remoteAuthenticationTimeout",
  "refreshBefore",
]);
/** Below these keys names are the user's, not ours. */
const freeKeys: ReadonlySet<string> = new Set(["metadata", "transforms", "claims", "mapClaims", "authorizationParameters"]);

/**
 * The configuration of a proxy from code: ids from the keys, durations to milliseconds. Throws `ConfigError` with every duration
 * that is none. Semantic rules are checked when it is loaded (`validateConfig`, `createConfigManager`).
 */
export function defineConfig(input: ProxyConfigInput): ProxyConfig {
  const issues: ConfigIssue[] = [];
  const config = buildProxyConfig(input, issues);
  if (issues.length > 0) throw configErrorOf(issues);
  return config;
}

/** The configuration of a gateway from code, for `gateway.config.ts`. Throws `ConfigError` like `defineConfig`. */
export function defineGatewayConfig(input: GatewayConfigInput): GatewayConfig {
  const issues: ConfigIssue[] = [];
  const server = withMilliseconds(input.server ?? {}, ["Server"], undefined, issues) as Partial<ServerConfig>;
  const proxy = input.reverseProxy ?? {};
  const reverseProxy = "revisionId" in proxy ? proxy : buildProxyConfig(proxy, issues);
  if (issues.length > 0) throw configErrorOf(issues);
  return {
    urls: splitUrls(input.urls),
    server: { ...defaultServerConfig, ...server },
    reverseProxy,
    logging: { level: input.logging?.level ?? "Information" },
  };
}

/** Addresses of a `;`-separated text or a list, without blanks. */
export function splitUrls(urls: string | readonly string[] | undefined): readonly string[] {
  const texts = urls === undefined ? [] : typeof urls === "string" ? [urls] : urls;
  return texts.flatMap((text) => text.split(";")).map((url) => url.trim()).filter((url) => url !== "");
}

function buildProxyConfig(input: ProxyConfigInput, issues: ConfigIssue[]): ProxyConfig {
  const routes = Object.entries(input.routes ?? {}).map(([routeId, route]) =>
    Object.assign(withMilliseconds(route, [], { kind: "route", id: routeId }, issues) as object, { routeId }),
  );
  const clusters = Object.entries(input.clusters ?? {}).map(([clusterId, cluster]) =>
    Object.assign(withMilliseconds(cluster, [], { kind: "cluster", id: clusterId }, issues) as object, { clusterId }),
  );
  const policies = input.policies === undefined ? {} : { policies: policiesOf(input.policies, issues) };
  // The input type guarantees the shape; only durations were text.
  return { routes, clusters, ...policies, revisionId: randomUUID() } as unknown as ProxyConfig;
}

function policiesOf(input: PoliciesConfigInput, issues: ConfigIssue[]): PoliciesConfig {
  return Object.fromEntries(
    Object.entries(input).map(([kind, policies]) => [
      kind,
      Object.entries(policies ?? {}).map(([name, policy]) =>
        Object.assign(withMilliseconds(policy, ["Policies", configName(kind), name], undefined, issues) as object, { name }),
      ),
    ]),
  ) as PoliciesConfig;
}

function withMilliseconds(value: unknown, path: readonly (string | number)[], entity: ConfigIssue["entity"], issues: ConfigIssue[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withMilliseconds(item, [...path, index], entity, issues));
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of Object.entries(value)) {
    const here = [...path, configName(key)];
    if (durationKeys.has(key) && typeof member === "string") {
      const milliseconds = parseDuration(member);
      if (milliseconds === undefined) {
        const owner = entity === undefined ? "" : ` of ${entity.kind} '${shorten(entity.id)}'`;
        issues.push({
          code: "conversion",
          severity: "error",
          message: `${here.join(".")}${owner} is no duration: '${shorten(member)}'`,
          hint: durationForms,
          entity,
          path: here,
          value: shorten(member),
        });
      }
      result[key] = milliseconds;
    } else {
      result[key] = freeKeys.has(key) ? member : withMilliseconds(member, here, entity, issues);
    }
  }
  return result;
}

/** The name a member has in configuration files: `activityTimeout` is `ActivityTimeout`. */
export function configName(member: string): string {
  return member.charAt(0).toUpperCase() + member.slice(1);
}
