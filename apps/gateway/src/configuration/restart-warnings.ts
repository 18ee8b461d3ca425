/**
 * Settings of the process are read at start. A reload that changes one has no effect on it, and whoever changed it has
 * to be told: once for each change, with the names of what waits for a restart.
 */
import { isDeepStrictEqual } from "node:util";
import type { GatewayConfig } from "@proxy/config";
import { hostIssues } from "./host-issues.ts";
import type { HostOverrides } from "./host-settings.ts";

export interface RestartWarnings {
  /** Has what `onWarning` is to be told, if anything, for a configuration that has been loaded. */
  loaded(config: GatewayConfig): void;
  /** Takes messages from now on. Before, nothing is told. */
  onWarning(listener: (message: string) => void): void;
}

/** Compares with `started`, and leaves out what `overrides` decides anyway. */
export function restartWarnings(started: GatewayConfig, overrides: HostOverrides): RestartWarnings {
  let last: readonly unknown[] = [];
  let warn: ((message: string) => void) | undefined;
  const atStart = settingsOf(started, overrides);
  return {
    loaded(config) {
      const now = settingsOf(config, overrides);
      const changed = [...now].filter(([name, value]) => !isDeepStrictEqual(value, atStart.get(name)));
      if (isDeepStrictEqual(changed, last)) return;
      last = changed;
      if (changed.length === 0 || warn === undefined) return;
      const names = changed.map(([name]) => name).join(", ");
      warn(`${names}: read at start only, the change needs a restart`);
      for (const { message } of hostIssues(config, overrides.addresses !== undefined)) warn(`the next start would fail: ${message}`);
    },
    onWarning(listener) {
      warn = listener;
    },
  };
}

function settingsOf({ urls, server, logging }: GatewayConfig, overrides: HostOverrides): ReadonlyMap<string, unknown> {
  const { limits, endpoints, endpointDefaults, certificates, shutdownTimeout, trustedProxies, affinityKeys, accessLog, engine, webSocketTelemetry } = server;
  const settings = new Map<string, unknown>([
    ["Server:Limits", { ...limits }],
    ["Server:EndpointDefaults", { ...endpointDefaults }],
    ["Server:ShutdownTimeout", shutdownTimeout],
    ["Server:TrustedProxies", trustedProxies],
    ["Server:AffinityKeys", { ...affinityKeys }],
    ["Server:ErrorPages", server.errorPages],
    ["Server:AccessLog", { ...accessLog }],
    ["Server:Engine", engine],
    ["Server:WebSocketTelemetry", webSocketTelemetry],
    ["Server:Certificates", { ...certificates }],
  ]);
  if (overrides.addresses === undefined) settings.set("Urls", urls).set("Server:Endpoints", plain(endpoints));
  if (overrides.logLevel === undefined) settings.set("Logging:LogLevel:Default", logging.level);
  return settings;
}

/** Without prototypes, which are no difference. */
function plain(endpoints: GatewayConfig["server"]["endpoints"]): unknown {
  return Object.entries(endpoints).map(([name, endpoint]) => [name.toLowerCase(), structuredClone({ ...endpoint, sni: { ...endpoint.sni } })]);
}
