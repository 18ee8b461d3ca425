import type { ConfigValidator } from "@proxy/config";
import { joinPolicies, type ProxyExtension } from "./proxy-extension.ts";
import type { ReverseProxyOptions } from "./reverse-proxy.ts";
import { clientTlsIssues } from "./state/client-tls.ts";
import { RouteCompiler } from "./state/route-compiler.ts";
import { affinityIssues, clusterPolicies, type ClusterPolicies } from "./state/cluster-policies.ts";
import { transformCatalogue } from "./transforms/catalogue.ts";
import { unservedByCluster, unservedByRoute, unservedPolicies, type ServedSettings } from "./unserved-settings.ts";

/**
 * What a proxy with these options checks beyond the rules of the configuration itself: templates, constraints,
 * transforms, answers, ties, settings that nothing serves. For tools that check a configuration without running a proxy;
 * a proxy has it built in.
 */
export function createProxyValidator(
  options: Pick<ReverseProxyOptions, "transforms" | "transformProviders" | "constraints" | "policies" | "extensions" | "delegator"> = {},
): ConfigValidator {
  const compiler = new RouteCompiler({
    catalogue: transformCatalogue(options.transforms, options.transformProviders),
    table: { constraints: options.constraints },
    errorPages: undefined, chainOf: () => () => {},
  });
  const extensions = options.extensions ?? [];
  const policies = joinPolicies([options.policies ?? {}, ...extensions.map((extension) => extension.policies)]);
  return proxyValidator(compiler, { policies, timeouts: true, delegator: options.delegator }, clusterPolicies({}), extensions);
}

/** The checks of a proxy whose routes `compiler` makes. */
export function proxyValidator(compiler: RouteCompiler, served: ServedSettings, policies: ClusterPolicies, extensions: readonly ProxyExtension[]): ConfigValidator {
  return {
    name: "pipeline",
    validateRoute: (route) => [...compiler.routeIssues(route), ...unservedByRoute(route, served)],
    validateCluster: (cluster) => [...unservedByCluster(cluster, served), ...clientTlsIssues(cluster), ...compiler.clusterIssues(cluster), ...affinityIssues(cluster, policies)],
    validateConfig: (config) => [
      ...compiler.tableIssues(config),
      ...unservedPolicies(config, served),
      ...extensions.flatMap((extension) => [...(extension.validate?.(config) ?? [])]),
    ],
  };
}
