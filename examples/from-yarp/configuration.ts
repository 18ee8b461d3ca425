import { resolvingProvider, type DestinationResolver } from "@proxy/cluster";
import type { ConfigFilter, ConfigProvider, PoliciesConfigInput } from "@proxy/config";
import { createEdgePolicies } from "@proxy/edge";
import { defineConfig, memoryProvider } from "@proxy/config";
import { createReverseProxy } from "@proxy/pipeline";

// InMemoryConfigProvider: LoadFromMemory(routes, clusters), then Update(routes, clusters)
export async function fromMemory(before: string, after: string) {
  const to = (address: string) =>
    defineConfig({
      routes: { all: { clusterId: "all", match: { path: "/{**rest}" } } },
      clusters: { all: { destinations: { one: { address } } } },
    });
  const provider = memoryProvider(to(before));
  const proxy = await createReverseProxy({ config: provider });
  return { proxy, switchOver: () => provider.update(to(after)) };
}

// IProxyConfigFilter
export const addressesByName = (addresses: ReadonlyMap<string, string>): ConfigFilter => ({
  name: "addresses by name",
  cluster(cluster) {
    const destinations = Object.entries(cluster.destinations ?? {}).map(([id, destination]) => {
      const address = destination.address.replace(/^\{\{(.*)\}\}$/, (whole, name: string) => addresses.get(name) ?? whole);
      return [id, { ...destination, address }];
    });
    return { ...cluster, destinations: Object.fromEntries(destinations) };
  },
  route: (route) => (route.order === undefined ? { ...route, order: 1 } : route),
});

// IDestinationResolver
export function resolved(provider: ConfigProvider, addressesOf: (host: string) => Promise<readonly string[]>): ConfigProvider {
  const resolver: DestinationResolver = {
    name: "registry",
    async resolve(_clusterId, destinations) {
      const found = Object.entries(destinations).map(async ([id, destination]) => {
        const { hostname } = new URL(destination.address);
        return (await addressesOf(hostname)).map((address) => [`${id}[${address}]`, { ...destination, address, host: hostname }] as const);
      });
      return { destinations: Object.fromEntries((await Promise.all(found)).flat()) };
    },
  };
  return resolvingProvider(provider, resolver);
}

// AddCors, AddRateLimiter and their kin, with policies in code
export const createPoliciesProxy = (config: ConfigProvider, policies: PoliciesConfigInput) =>
  createReverseProxy({ config, extensions: [createEdgePolicies({ policies })] });
