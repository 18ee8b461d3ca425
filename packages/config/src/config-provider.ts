import type { ClusterConfig } from "./cluster-config.ts";
import type { ConfigIssue } from "./config-issue.ts";
import type { ProxyConfig } from "./proxy-config.ts";
import type { RouteConfig } from "./route-config.ts";

/** A source of configuration: file, memory, service discovery. Several are merged in order. */
export interface ConfigProvider {
  /** Names it in logs and errors. */
  readonly name: string;
  /**
   * The configuration as it is now. Rejects with `ConfigError` when it cannot be read or decoded; what an error has as
   * `salvaged` is checked nevertheless at the first load, so that all faults are told at once.
   */
  load(): Promise<ProxyConfig>;
  /** `listener` is told when `load` would give something else. Returns how to stop that. */
  subscribe(listener: () => void): () => void;
  /** Adds source, line, column and pointer to an issue about what the last `load` gave. */
  locate?(issue: ConfigIssue): ConfigIssue;
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

/** Is told how loads go. `configs` holds one configuration per provider, as loaded. What it throws is ignored. */
export interface ConfigChangeListener {
  /** A provider could not deliver; its last good configuration stays in use. */
  loadingFailed?(provider: ConfigProvider, error: Error): void;
  /** A pass has read what there is; also when some provider failed. */
  loaded?(configs: readonly ProxyConfig[]): void;
  /** Refused, by validation (`ConfigError`) or by what applies it; the running configuration stays. */
  applyingFailed?(configs: readonly ProxyConfig[], error: Error): void;
  /** In use; also when the pass brought nothing new. Not told of what was refused. */
  applied?(configs: readonly ProxyConfig[]): void;
  /** Warnings of a configuration that has been applied, without those that the one before had too. */
  warned?(issues: readonly ConfigIssue[]): void;
}
