import type {
  ActiveHealthPolicy,
  AffinityFailurePolicy,
  AvailableDestinationsPolicy,
  Clock,
  ClusterChangeListener,
  DrainListener,
  DrainOptions,
  HealthListener,
  HealthMonitor,
  KeyProtector,
  LoadBalancingPolicy,
  PassiveHealthPolicy,
  RandomSource,
  SessionAffinityPolicy,
} from "@proxy/cluster";
import type {
  ConfigChangeListener,
  ConfigFilter,
  ConfigProvider,
  ConfigValidator,
  ErrorPageConfig,
  KnownPolicies,
  ProxyConfig,
  ProxyConfigInput,
} from "@proxy/config";
import type { ExchangeHandler } from "@proxy/http";
import type { ProxyLogger } from "./logger.ts";
import type { NodeHandler, NodeUpgradeHandler } from "./node-handler.ts";
import type { ConstraintFactory } from "./routing/index.ts";
import type { ProxyExtension } from "./proxy-extension.ts";
import type { HttpClientFactory } from "./state/model-builder.ts";
import type { RequestDelegator } from "./request-delegator.ts";
import type { ProxyState } from "./state/proxy-state.ts";
import type { Step } from "./steps/step.ts";
import type { MirrorCounts } from "./traffic/mirrors.ts";
import type { TransformProvider } from "./transforms/transform-provider.ts";
import type { OpenTransformFactory, TransformFactory } from "./transforms/transform.ts";

export interface ReverseProxyOptions {
  /** What to proxy: in code, decoded, or from providers that are watched. */
  readonly config: ProxyConfig | ProxyConfigInput | ConfigProvider | readonly ConfigProvider[];
  /** Policies beside the five built-in ones. */
  readonly loadBalancingPolicies?: readonly LoadBalancingPolicy[] | undefined;
  /** Policies beside HashCookie, ArrCookie, Cookie and CustomHeader. */
  readonly affinityPolicies?: readonly SessionAffinityPolicy[] | undefined;
  /** Policies beside Redistribute and Return503Error. */
  readonly affinityFailurePolicies?: readonly AffinityFailurePolicy[] | undefined;
  /**
   * Protects the keys of `Cookie` and `CustomHeader`: `createKeyRing({ secrets })`, the same on all gateways that share clients.
   * Default: a key of this proxy alone, which dies with it.
   */
  readonly affinityKeys?: KeyProtector | undefined;
  /** Policies beside HealthyOrPanic and HealthyAndUnknown. */
  readonly availableDestinationsPolicies?: readonly AvailableDestinationsPolicy[] | undefined;
  /** Policies beside ConsecutiveFailures. */
  readonly activeHealthPolicies?: readonly ActiveHealthPolicy[] | undefined;
  /** Policies beside TransportFailureRate. */
  readonly passiveHealthPolicies?: readonly PassiveHealthPolicy[] | undefined;
  /** Who sees to it that active checks run when they are due: the proxy by timers (default), or the application, by `health`. */
  readonly healthChecks?: "timers" | "external" | undefined;
  /** Told of each change of a destination's health. */
  readonly healthListeners?: readonly HealthListener[] | undefined;
  /** The steps of the proxy, made from the default ones: `(steps) => insertBefore(steps, "load-balancing", mine)`. */
  readonly steps?: ((steps: readonly Step[]) => readonly Step[]) | undefined;
  /** Steps that are compiled from the configuration, such as edge policies; put in before `steps` is asked. */
  readonly extensions?: readonly ProxyExtension[] | undefined;
  /** Forms of transforms beside the built-in ones. */
  readonly transforms?: readonly (TransformFactory | OpenTransformFactory)[] | undefined;
  /** What adds transforms to routes by code. */
  readonly transformProviders?: readonly TransformProvider[] | undefined;
  /** Route constraints beside the built-in ones, by name. */
  readonly constraints?: Readonly<Record<string, ConstraintFactory>> | undefined;
  readonly validators?: readonly ConfigValidator[] | undefined;
  readonly filters?: readonly ConfigFilter[] | undefined;
  /** Told how loads of configuration go. */
  readonly listeners?: readonly ConfigChangeListener[] | undefined;
  /** Told of destinations that get no new requests and of their end. */
  readonly drainListeners?: readonly DrainListener[] | undefined;
  /** Told which clusters come, change and go. */
  readonly clusterListeners?: readonly ClusterChangeListener[] | undefined;
  /** Names of policies that the application implements itself: authorization, rate limits, … */
  readonly policies?: KnownPolicies | undefined;
  /** Makes the HTTP client of a cluster. Default: the forwarder's, with the cluster's settings. */
  readonly httpClientFactory?: HttpClientFactory | undefined;
  /**
   * Addresses and CIDR blocks of peers whose `X-Forwarded-*` and `Forwarded` are believed. Default none: what clients
   * send of these is removed.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /**
   * Tells what each WebSocket carried and who closed it: an event `websocket-closed` of the logger, and `ctx.webSocket` for
   * steps. Default false.
   */
  readonly webSocketTelemetry?: boolean | undefined;
  /**
   * Pages for errors that the proxy answers with, and, where a page says so, destinations; those of a route come first. Throws a TypeError for
   * what is none. Default: answers have no body.
   */
  readonly errorPages?: readonly ErrorPageConfig[] | undefined;
  /**
   * Hands requests to other processes, for destinations whose metadata say so: `new Delegator(…)` of `@proxy/delegation`. Closed with the
   * proxy. Without one such destinations are refused when the configuration is loaded.
   */
  readonly delegator?: RequestDelegator | undefined;
  /** Time of health checks and cookies, for tests. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Source of randomness, for tests. Default `Math.random`. */
  readonly random?: RandomSource | undefined;
  /** Default: tells nobody. */
  readonly logger?: ProxyLogger | undefined;
}

/** A running proxy. It listens on nothing: a front server, or any Node server, hands it requests. */
export interface ReverseProxy {
  /** Serves one exchange: what a front server is given as its handler. Never throws and never rejects. */
  readonly handle: ExchangeHandler;
  /**
   * Serves a request of `node:http`, express, or fastify (`request.raw`, `reply.raw`, after `reply.hijack()`). With `next`, a request that no
   * route matches is passed on; without, it is answered with 404.
   */
  readonly nodeHandler: NodeHandler;
  /** Serves WebSocket and other upgrades: `server.on("upgrade", proxy.nodeUpgradeHandler)`. */
  readonly nodeUpgradeHandler: NodeUpgradeHandler;
  /** Routes and clusters as they are now. */
  readonly state: ProxyState;
  /** The active health checks: when the next is due, and rounds on demand. */
  readonly health: HealthMonitor;
  /**
   * Replaces the configuration, whole or not at all: rejects with `ConfigError` when it cannot be used, and the one in
   * force stays. Rejects with `TypeError` for a proxy whose configuration comes from providers.
   */
  update(config: ProxyConfig | ProxyConfigInput): Promise<void>;
  /** Reads all providers again. Resolves to whether the result is in force. */
  reload(): Promise<boolean>;
  /**
   * No new requests to a destination from now on, by ids, ignoring case. Those under way finish; sessions that are bound to it
   * still go there, unless told otherwise. Resolves when nothing is under way there, or `undrain` took it back; rejects with
   * `TypeError` when there is no such destination. It outlives reloads, not the process.
   */
  drain(clusterId: string, destinationId: string, options?: DrainOptions): Promise<void>;
  /** Takes `drain` back; gives whether the destination was draining. Throws `TypeError` when there is no such destination. */
  undrain(clusterId: string, destinationId: string): boolean;
  /** How it stands with the copies of requests (`Mirror`) that go to a cluster; undefined when there is no such cluster. */
  mirrorCounts(clusterId: string): MirrorCounts | undefined;
  /**
   * Stops watching, answers new requests with 503, tells open WebSockets (Close, 1001); resolves when requests under way are over and
   * connections to destinations closed.
   */
  close(): Promise<void>;
}
