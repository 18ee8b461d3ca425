import { nameServerFault, type DestinationResolverConfig } from "@proxy/config";
import { createDnsResolver, type DnsLookup, type DnsResolverOptions } from "./dns-resolver.ts";
import { nodeDnsLookup } from "./node-dns.ts";
import type { DestinationResolver } from "./resolver.ts";

export interface ConfiguredResolverOptions extends Pick<DnsResolverOptions, "clock" | "random" | "jitter" | "onStale"> {
  /** Puts the questions of clusters with those settings. Default: `nodeDnsLookup`. */
  readonly lookup?: ((settings: DestinationResolverConfig) => DnsLookup) | undefined;
}

/**
 * Resolves the destinations of each cluster as its `DestinationResolver` says; those of clusters without one stay as they are.
 * Clusters with the same settings share what DNS said.
 */
export function createConfiguredResolver(options: ConfiguredResolverOptions = {}): DestinationResolver {
  const { lookup = systemLookup, ...rest } = options;
  const resolvers = new Map<string, DestinationResolver>();
  const resolverFor = (settings: DestinationResolverConfig): DestinationResolver => {
    const { refreshPeriod, minimumRefreshPeriod: minimumPeriod, addressFamily, nameServers } = settings;
    const key = JSON.stringify([refreshPeriod, minimumPeriod, addressFamily, nameServers]);
    let resolver = resolvers.get(key);
    if (resolver === undefined) {
      resolver = createDnsResolver({ ...rest, lookup: lookup(settings), refreshPeriod, minimumPeriod });
      // Settings come and go with reloads; what DNS said under those of long ago is of no use.
      if (resolvers.size >= maximumSettings) resolvers.clear();
      resolvers.set(key, resolver);
    }
    return resolver;
  };
  return {
    name: "configured",
    resolve(clusterId, destinations, cluster) {
      const settings = cluster?.destinationResolver;
      // What is wrong with settings is told with all else that is wrong, by the validation that follows.
      if (settings?.kind !== "Dns" || !isUsable(settings)) return { destinations };
      return resolverFor(settings).resolve(clusterId, destinations, cluster);
    },
  };
}

function isUsable({ refreshPeriod, minimumRefreshPeriod, nameServers }: DestinationResolverConfig): boolean {
  const arePeriods = (refreshPeriod ?? 1) > 0 && (minimumRefreshPeriod ?? 1) > 0;
  return arePeriods && (nameServers ?? []).every((server) => nameServerFault(server) === undefined);
}

const maximumSettings = 64;
const families = { Any: undefined, IPv4: 4, IPv6: 6 } as const;

function systemLookup({ addressFamily = "Any", nameServers }: DestinationResolverConfig): DnsLookup {
  const isNamed = nameServers !== undefined && nameServers.length > 0;
  return nodeDnsLookup({ family: families[addressFamily], source: isNamed ? "dns" : "system", servers: isNamed ? nameServers : undefined });
}
