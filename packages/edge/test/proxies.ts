import type { ProxyConfigInput, RouteConfig } from "@proxy/config";
import type { ReverseProxyOptions } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { testProxy, type TestProxy } from "../../pipeline/test/support/proxies.ts";
import { createEdgePolicies, type EdgePoliciesOptions } from "../src/index.ts";

/** Routes to one cluster, with policies. */
export function configOf(policies: ProxyConfigInput["policies"], route: Partial<RouteConfig> = {}): ProxyConfigInput {
  return {
    routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
    clusters: { c: { destinations: { d: { address: "http://d.test/" } } } },
    policies,
  };
}

/** A proxy with edge policies, over destinations without connections. */
export function edgeProxy(
  config: ProxyConfigInput,
  edge: EdgePoliciesOptions = {},
  options: Parameters<typeof testProxy>[1] & Partial<ReverseProxyOptions> = {},
): Promise<TestProxy> {
  return testProxy(config, { ...options, extensions: [createEdgePolicies({ clock: options.clock, ...edge })] });
}
