import { silentLogger } from "./logger.ts";
import type { ReverseProxy, ReverseProxyOptions } from "./reverse-proxy.ts";
import { RunningProxy } from "./running-proxy.ts";
import { clusterPolicies } from "./state/cluster-policies.ts";

/**
 * Makes a proxy and loads its configuration. Rejects with `ConfigError` that holds everything wrong with it, with
 * `PolicyError` for a policy registered twice, with `TypeError` for options that make no sense.
 */
export async function createReverseProxy(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const proxy = new RunningProxy(options, clusterPolicies(options), options.logger ?? silentLogger);
  await proxy.start();
  return proxy;
}
