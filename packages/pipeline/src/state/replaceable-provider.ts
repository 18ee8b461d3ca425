import type { ConfigProvider, ProxyConfig } from "@proxy/config";

/** A provider whose configuration is replaced by the proxy itself, which then asks for a reload: it signals nothing. */
export interface ReplaceableProvider extends ConfigProvider {
  /** Gives back what it held before. */
  replace(config: ProxyConfig): ProxyConfig;
}

export function replaceableProvider(config: ProxyConfig): ReplaceableProvider {
  let current = config;
  return {
    name: "code",
    load: () => Promise.resolve(current),
    subscribe: () => () => {},
    replace(next) {
      const before = current;
      current = next;
      return before;
    },
  };
}
