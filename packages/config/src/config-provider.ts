import type { ClusterConfig } from "./cluster-config.ts";
import type { ConfigIssue } from "./config-issue.ts";
import type { ProxyConfig } from "./proxy-config.ts";
import type { RouteConfig } from "./route-config.ts";

/** A source of configuration: file, memory, service discovery. Several are merged in order. */
export interface ConfigProvider {
  /** Names it in logs and errors. */
  readonly name: string;
  /** The configuration as it is now. Rejects with `ConfigError` when it cannot be read or decoded. */
  load(): Promise<ProxyConfig>;
  /** `listener` is told when `load` would give something else. Returns how to stop that. */
  subscribe(listener: () => void): () => void;
  close?(): void | Promise<void>;
}

/** Checks what only its package or application can know. Runs with all others; reports everything it finds. */
export interface ConfigValidator {
  readonly name: string;
  validateRoute?(route: RouteConfig): Iterable<ConfigIssue> | Promise<Iterable<ConfigIssue>>;
  validateCluster?(cluster: ClusterConfig): Iterable<ConfigIssue> | Promise<Iterable<ConfigIssue>>;
  /** What shows only in the whole: two routes that can tie. */
  validateConfig?(config: ProxyConfig): Iterable<ConfigIssue> | Promise<Iterable<ConfigIssue>>;
}

/** Changes entities before validation: substitutions, defaults of a company. Runs in order of registration. */
export interface ConfigFilter {
  readonly name: string;
  cluster?(cluster: ClusterConfig): ClusterConfig | Promise<ClusterConfig>;
  /** `cluster` is the route's cluster after its own filters, if there is one. */
  route?(route: RouteConfig, cluster: ClusterConfig | undefined): RouteConfig | Promise<RouteConfig>;
}

/** Is told how loads go. Must not throw. */
export interface ConfigChangeListener {
  loadingFailed?(provider: ConfigProvider, error: Error): void;
  loaded?(configs: readonly ProxyConfig[]): void;
  applyingFailed?(configs: readonly ProxyConfig[], error: Error): void;
  applied?(configs: readonly ProxyConfig[]): void;
}
