import { isDeepStrictEqual } from "node:util";
import type { ClusterConfig, ConfigProvider, ProxyConfig } from "@proxy/config";
import { systemClock, type Clock } from "../clock.ts";
import { ResolverError, type DestinationResolver } from "./resolver.ts";

/** Milliseconds after which what could not be resolved is tried again. */
const retryPeriod = 30_000;

/**
 * `provider` with the destinations of its clusters resolved, at each load and again when the resolver says that it
 * is time. A resolver that fails fails the load, which is tried again after 30 s.
 */
export function resolvingProvider(
  provider: ConfigProvider,
  resolver: DestinationResolver,
  clock: Clock = systemClock,
): ConfigProvider {
  const listeners = new Set<() => void>();
  let disarm: (() => void) | undefined;
  let isRefresh = false;
  let last: { readonly from: ProxyConfig; readonly fingerprint: string; readonly config: ProxyConfig } | undefined;
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const refresh = (): void => {
    isRefresh = true;
    tell();
  };
  const arm = (delay: number | undefined): void => {
    disarm?.();
    disarm = delay === undefined || listeners.size === 0 ? undefined : clock.after(delay, refresh);
  };
  return {
    name: provider.name,
    async load() {
      const wasRefresh = isRefresh;
      isRefresh = false;
      const from = await provider.load();
      const resolved = await Promise.all(from.clusters.map((cluster) => startResolving(cluster, resolver))).catch((error: unknown) => {
        if (error instanceof ResolverError) error.salvaged = from;
        arm(retryPeriod);
        throw error;
      });
      arm(shortest(resolved.map((each) => each.refreshAfter)));
      const clusters = resolved.map((each) => each.cluster);
      // The same object again tells the configuration manager that nothing is new.
      if (clusters.every((cluster, index) => cluster === from.clusters[index])) return (last = undefined, from);
      const fingerprint = JSON.stringify(clusters.map((cluster) => cluster.destinations));
      // A provider may make a new object at each load, for whoever asked for the reload; time alone asks for addresses only.
      const isSame = last !== undefined && (last.from === from || (wasRefresh && isDeepStrictEqual(last.from, from)));
      if (last === undefined || !isSame || last.fingerprint !== fingerprint) {
        last = { from, fingerprint, config: { ...from, clusters } };
      }
      return last.config;
    },
    subscribe(listener) {
      const own = (): void => listener();
      listeners.add(own);
      const leave = [provider.subscribe(own), resolver.subscribe?.(own)];
      return () => {
        listeners.delete(own);
        for (const each of leave) each?.();
        if (listeners.size === 0) disarm?.();
      };
    },
    ...(provider.locate === undefined ? {} : { locate: (issue) => provider.locate?.(issue) ?? issue }),
    close: () => {
      disarm?.();
      return provider.close?.();
    },
  };
}

interface ResolvedCluster {
  readonly cluster: ClusterConfig;
  readonly refreshAfter: number | undefined;
}

/** A throw is a rejection here: those of other clusters then have somebody who waits for them too. */
function startResolving(cluster: ClusterConfig, resolver: DestinationResolver): ResolvedCluster | Promise<ResolvedCluster> {
  try {
    return resolveCluster(cluster, resolver);
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function resolveCluster(cluster: ClusterConfig, resolver: DestinationResolver): ResolvedCluster | Promise<ResolvedCluster> {
  const { destinations, clusterId } = cluster;
  if (destinations === undefined || Object.keys(destinations).length === 0) return { cluster, refreshAfter: undefined };
  // What it throws at once is a programmer's error and passes as it is; a rejection is trouble with the cluster.
  const resolving = resolver.resolve(clusterId, destinations, cluster);
  return Promise.resolve(resolving).then(
    (found) => ({
      cluster: found.destinations === destinations ? cluster : { ...cluster, destinations: found.destinations },
      refreshAfter: found.refreshAfter,
    }),
    (cause: unknown) => {
      throw new ResolverError(clusterId, { cause });
    },
  );
}

function shortest(delays: readonly (number | undefined)[]): number | undefined {
  const set = delays.filter((delay) => delay !== undefined && delay > 0) as number[];
  return set.length === 0 ? undefined : Math.min(...set);
}
