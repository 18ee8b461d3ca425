import { randomUUID } from "node:crypto";
import type { ConfigProvider } from "./config-provider.ts";
import type { ProxyConfig } from "./proxy-config.ts";

/** Configuration without a revision: one is made up. */
export type UnnamedProxyConfig = Omit<ProxyConfig, "revisionId"> & { readonly revisionId?: string | undefined };

export interface MemoryProvider extends ConfigProvider {
  /** Replaces the configuration as a whole, then tells the subscribers. */
  update(config: UnnamedProxyConfig): void;
  /** As it is now. */
  readonly current: ProxyConfig;
}

/** A provider whose configuration lives in memory and is changed by `update`. */
export function memoryProvider(config: UnnamedProxyConfig, name = "memory"): MemoryProvider {
  let current = withRevision(config);
  const listeners = new Set<() => void>();
  return {
    name,
    get current() {
      return current;
    },
    load: () => Promise.resolve(current),
    subscribe(listener) {
      // Wrapped, so that one function subscribed twice is told twice and can leave once.
      const own = (): void => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    update(next) {
      current = withRevision(next);
      for (const listener of listeners) listener();
    },
  };
}

function withRevision(config: UnnamedProxyConfig): ProxyConfig {
  return { ...config, revisionId: config.revisionId ?? randomUUID() };
}
