import type { ConfigChangeListener } from "@proxy/config";
import type { ProxyLogger } from "./logger.ts";

/** Tells `logger` how loads of configuration go. */
export function configEvents(logger: ProxyLogger): ConfigChangeListener {
  return {
    loadingFailed: (provider, error) => logger.event("error", "config-loading-failed", { provider: provider.name, error }),
    applyingFailed: (_configs, error) => logger.event("error", "config-refused", { error }),
    applied: (configs) =>
      logger.event("info", "config-applied", { revisions: configs.map((config) => config.revisionId).join(" ") }),
    warned(issues) {
      for (const issue of issues) logger.event("warning", "config-warning", { issue });
    },
  };
}
