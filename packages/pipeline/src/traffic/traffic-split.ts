import { cookieValue, fractionOf, keyFraction, setCookie, type Clock, type ClusterState, type RandomSource } from "@proxy/cluster";
import type { TrafficSplitConfig } from "@proxy/config";
import { headerKey, type Exchange } from "@proxy/http";
import { clientScheme } from "../transforms/client-scheme.ts";
import type { Trust } from "../trusted-peers.ts";

/** The cluster for one request. */
export interface SplitChoice {
  readonly cluster: ClusterState;
  /** The Set-Cookie line that keeps the client there; undefined where it has it, or needs none. */
  readonly cookie: string | undefined;
}

/** `TrafficSplit` of a route, made ready to choose by. Clusters that are not there get no share. */
export class TrafficSplit {
  readonly #config: TrafficSplitConfig;
  readonly #clusters: readonly ClusterState[];
  /** By lower-case id, whatever their weight. */
  readonly #byId: ReadonlyMap<string, ClusterState>;
  readonly #drawn: ReadonlySet<ClusterState>;
  /** Sums of the weights up to and including each. */
  readonly #sums: readonly number[];
  readonly #overrideKey: string | undefined;
  readonly #stickyKey: string | undefined;

  constructor(config: TrafficSplitConfig, clusterOf: (id: string) => ClusterState | undefined) {
    const shares = Object.entries(config.clusters).flatMap(([id, weight]) => {
      const cluster = clusterOf(id);
      return cluster === undefined ? [] : [{ cluster, weight }];
    });
    let total = 0;
    this.#config = config;
    this.#clusters = shares.map(({ cluster }) => cluster);
    this.#byId = new Map(this.#clusters.map((cluster) => [cluster.id.toLowerCase(), cluster]));
    this.#drawn = new Set(shares.filter(({ weight }) => weight > 0).map(({ cluster }) => cluster));
    this.#sums = shares.map(({ weight }) => (total += weight));
    this.#overrideKey = config.overrideHeader ? headerKey(config.overrideHeader) : undefined;
    this.#stickyKey = config.sticky?.on === "Header" ? headerKey(config.sticky.name) : undefined;
  }

  /** Those that there are, in the order of the configuration. */
  get clusters(): readonly ClusterState[] {
    return this.#clusters;
  }

  /** Undefined when none can be drawn. */
  choose(exchange: Exchange, random: RandomSource, clock: Clock, trust: Trust): SplitChoice | undefined {
    const { headers } = exchange.request;
    if (this.#overrideKey !== undefined) {
      const named = this.#byId.get(headers.get(this.#overrideKey)?.toLowerCase() ?? "");
      if (named !== undefined) return { cluster: named, cookie: undefined };
    }
    const { sticky } = this.#config;
    if (!sticky) return choice(this.#at(fractionOf(random)));
    if (this.#stickyKey !== undefined) {
      const value = headers.get(this.#stickyKey);
      return choice(this.#at(value === undefined ? fractionOf(random) : keyFraction(value)));
    }
    const kept = this.#byId.get(cookieValue(headers, sticky.name)?.toLowerCase() ?? "");
    if (kept !== undefined && this.#drawn.has(kept)) return choice(kept);
    const cluster = this.#at(fractionOf(random));
    if (cluster === undefined) return undefined;
    const { name, cookie } = sticky;
    const trustedPeer = trust(exchange.connection.remoteAddress);
    return { cluster, cookie: setCookie(clientScheme({ exchange, trustedPeer }), { affinityKeyName: name, cookie: cookie ?? undefined }, cluster.id, clock.date()) };
  }

  /** The cluster that `position`, in [0, 1), falls on: the shares lie side by side, in the order of the configuration. */
  #at(position: number): ClusterState | undefined {
    const wanted = position * (this.#sums.at(-1) ?? 0);
    return this.#clusters[this.#sums.findIndex((sum) => sum > wanted)];
  }
}

function choice(cluster: ClusterState | undefined): SplitChoice | undefined {
  return cluster === undefined ? undefined : { cluster, cookie: undefined };
}
