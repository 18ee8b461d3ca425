import type { ConfigIssue } from "./config-issue.ts";
import type { ConfigProvider } from "./config-provider.ts";
import { mergePolicies } from "./policies-config.ts";
import type { ProxyConfig } from "./proxy-config.ts";

/** Routes and clusters of all, in order; nothing is merged inside an entity. The revision joins theirs with `+`. */
export function mergeConfigs(configs: readonly ProxyConfig[]): ProxyConfig {
  const [first] = configs;
  if (configs.length === 1 && first !== undefined) return first;
  const policies = mergePolicies(configs.map((config) => config.policies));
  return {
    ...(policies === undefined ? {} : { policies }),
    routes: configs.flatMap((config) => config.routes),
    clusters: configs.flatMap((config) => config.clusters),
    revisionId: configs.map((config) => config.revisionId).join("+"),
  };
}

/** Issues with the position that the first provider that knows it gives; a duplicate is the later one. */
export function locateIssues(issues: readonly ConfigIssue[], providers: readonly ConfigProvider[]): readonly ConfigIssue[] {
  return issues.map((issue) => {
    if (issue.source !== undefined) return issue;
    for (const provider of issue.code.endsWith("-duplicate") ? providers.toReversed() : providers) {
      const located = provider.locate?.(issue);
      if (located?.source !== undefined) return located;
    }
    return issue;
  });
}
