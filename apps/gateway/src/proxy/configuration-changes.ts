import { clusterEquals, routeEquals } from "@proxy/config";
import type { ProxyConfig } from "@proxy/config";

/** How much one configuration differs from another: added, removed and changed entities together. */
export interface ConfigurationChanges {
  readonly routesChanged: number;
  readonly clustersChanged: number;
}

export function configurationChanges(before: ProxyConfig, after: ProxyConfig): ConfigurationChanges {
  return {
    routesChanged: countChanges(before.routes, after.routes, (route) => route.routeId, routeEquals),
    clustersChanged: countChanges(before.clusters, after.clusters, (cluster) => cluster.clusterId, clusterEquals),
  };
}

function countChanges<T>(
  before: readonly T[],
  after: readonly T[],
  idOf: (entity: T) => string,
  equal: (a: T, b: T) => boolean,
): number {
  const old = new Map(before.map((entity) => [idOf(entity).toLowerCase(), entity]));
  let changes = 0;
  for (const entity of after) {
    const id = idOf(entity).toLowerCase();
    const known = old.get(id);
    if (known === undefined || !equal(known, entity)) changes += 1;
    old.delete(id);
  }
  return changes + old.size;
}
