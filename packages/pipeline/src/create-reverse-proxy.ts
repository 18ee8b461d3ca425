import { createLoadBalancingPolicies } from "@proxy/cluster";
import { silentLogger } from "./logger.ts";
import type { ReverseProxy, ReverseProxyOptions } from "./reverse-proxy.ts";
import { RunningProxy } from "./running-proxy.ts";

/**
 * Makes a proxy and loads its configuration. Rejects with `ConfigError` that holds everything wrong with it, with
 * `PolicyError` for a policy registered twice, with `TypeError` for options that make no sense.
 */
export async function createReverseProxy(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const policies = createLoadBalancingPolicies(options.loadBalancingPolicies, options.random);
  const proxy = new RunningProxy(options, policies, options.logger ?? silentLogger);
  await proxy.start();
  return proxy;
}
