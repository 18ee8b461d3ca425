import type { AffinityResult, ClusterState, DestinationState } from "@proxy/cluster";
import type { ForwarderError, WebSocketReport } from "@proxy/forwarder";
import type { BodySource, CompletionListener, Exchange } from "@proxy/http";
import type { Attempts } from "./retry/attempts.ts";
import type { RouteModel } from "./route-model.ts";
import type { RouteValues } from "./routing/index.ts";
import { proxyModelOf, type ProxyClusterModel } from "./state/cluster-models.ts";
import type { ProxyState } from "./state/proxy-state.ts";
import type { SharedClient } from "./state/shared-client.ts";

/**
 * What a cache did with a request:
 *
 * - `hit`: answered from it; `stale`: the same, though the time of the answer was over; `revalidated`: the same, after the destination was asked whether it still holds
 * - `collapsed`: answered from it, once the request before, which it waited for, had its answer
 * - `miss`: the destination answered, and what it said could be kept; `expired`: the same, in the place of something older
 * - `bypass`: the destination answered, and nothing was to be kept; `pass`: the same, since its answer may not be kept
 * - `absent`: the client wanted nothing but what is kept, and there was nothing
 */
export type CacheOutcome = "hit" | "stale" | "revalidated" | "collapsed" | "miss" | "expired" | "bypass" | "pass" | "absent";

/** One request on its way through the steps: the exchange, and what the proxy knows and decided. A reload does not change it. */
export class ProxyContext implements CompletionListener {
  /** A step may put one around it that sees the answer, before it calls `next`. */
  exchange: Exchange;
  /** The route that matched. It stays when the cluster is reassigned: its transforms and limits apply. */
  readonly route: RouteModel;
  /** Looks up routes and clusters as they are now. */
  readonly state: ProxyState;
  /** The cluster, where health and counters live. Undefined when the route names none that exists. */
  clusterState: ClusterState | undefined;
  /** The cluster's settings when the request came, or when it was reassigned. */
  cluster: ProxyClusterModel | undefined;
  /** The destinations that may be chosen. Steps narrow it by setting a shorter list; empty is answered with 503. */
  available: readonly DestinationState[];
  /** The destination that the request was sent to; undefined until then. */
  destination: DestinationState | undefined = undefined;
  /** How the search for the destination of the session went; undefined for a cluster without session affinity. */
  affinity: AffinityResult | undefined = undefined;
  /** The status that the destination answered with, before transforms could change it; undefined without transforms of the response. */
  destinationStatus: number | undefined = undefined;
  /** What a WebSocket carried, once it is over; undefined without `webSocketTelemetry`. */
  webSocket: WebSocketReport | undefined = undefined;
  /** How forwarding failed; undefined when it has not or not yet. */
  outcome: ForwarderError | undefined = undefined;
  /** What a cache had to do with the answer; undefined where none was asked. */
  cache: CacheOutcome | undefined = undefined;
  /** Whether another process has the request and answers it: nothing of the answer is known here, not even its status. */
  delegated = false;
  /** Which attempt to forward the request this is, from 1; above 1 only where `Retry` is configured. */
  attempt = 1;
  /** What is sent as the request's body: the exchange's, or a source of a step's that wraps it. */
  body: BodySource | undefined;
  /** @internal Decides whether there is another attempt; undefined where there is none. */
  attempts: Attempts | undefined = undefined;
  /** True for a copy that goes to the cluster of the route's `Mirror`: whoever sent the request does not hear of it. */
  isMirrored = false;
  /** @internal The Set-Cookie line that keeps the client at the cluster drawn for it. */
  stickyCookie: string | undefined = undefined;
  /** @internal What was available before the request's session narrowed it. */
  beforeAffinity: readonly DestinationState[] | undefined = undefined;
  /** @internal When the clock of the route's `Timeout` was started, in ticks of the forwarder's timers; 0: it was not. */
  startTick = 0;
  /** @internal Told when the head of a destination's response comes; undefined when nobody wants to know. */
  headWatch: { headCame(): void } | undefined = undefined;
  /** Whether the peer is believed when it says for whom it forwards; known once request transforms run. */
  trustedPeer = false;
  /** Held apart from `cluster`, which a step might set: what was acquired is released. */
  #client: SharedClient | undefined;
  readonly #match: { readonly values: RouteValues };
  #items: Map<unknown, unknown> | undefined;

  constructor(exchange: Exchange, route: RouteModel, match: { readonly values: RouteValues }, state: ProxyState) {
    this.exchange = exchange;
    this.body = exchange.body;
    this.route = route;
    this.state = state;
    this.#match = match;
    const cluster = route.cluster;
    this.clusterState = cluster;
    if (cluster === undefined) {
      this.cluster = undefined;
      this.#client = undefined;
      this.available = noDestinations;
    } else {
      this.cluster = proxyModelOf(cluster);
      this.#client = this.cluster.client;
      this.#client.acquire();
      this.available = cluster.destinations.available;
    }
  }

  /** What the route's path captured; computed when first asked for. */
  get routeValues(): RouteValues {
    return this.#match.values;
  }

  /** What steps leave for one another, by keys of their own (a symbol, an object). */
  get items(): Map<unknown, unknown> {
    return (this.#items ??= new Map());
  }

  /** What `items` has by `key`, at no cost where nobody has left anything. */
  item(key: unknown): unknown {
    return this.#items?.get(key);
  }

  /**
   * Sends the request to another cluster: its destinations, its balancing, its client. The route and its transforms
   * stay. To be called before balancing; throws once the request was forwarded or the response has started.
   */
  reassign(cluster: ClusterState): void {
    if (this.destination !== undefined || this.attempt > 1) throw new Error("a request that was forwarded cannot be reassigned");
    if (this.exchange.response.started) throw new Error("a request whose response has started cannot be reassigned");
    const model = proxyModelOf(cluster);
    model.client.acquire();
    this.#client?.release();
    this.#client = model.client;
    this.clusterState = cluster;
    this.cluster = model;
    this.available = cluster.destinations.available;
    this.affinity = undefined;
    this.beforeAffinity = undefined;
  }

  /** @internal The request is over; called once by the proxy. */
  release(): void {
    this.#client?.release();
  }

  /** @internal As `release`. */
  completed(): void {
    this.release();
  }
}

const noDestinations: readonly DestinationState[] = [];
