import type { ClusterState } from "@proxy/cluster";
import type { RouteConfig } from "@proxy/config";
import type { ForwardWithOptions } from "@proxy/forwarder";
import type { ErrorPages } from "./error-pages/error-pages.ts";
import type { RetryPolicy } from "./retry/retry-policy.ts";
import type { ProxyContext } from "./context.ts";
import type { MirrorModel } from "./traffic/mirrors.ts";
import type { TrafficSplit } from "./traffic/traffic-split.ts";
import type { TransformPlan } from "./transforms/transform.ts";

/** What follows from the configuration of one route; immutable, kept over a reload when nothing it depends on changed. */
export interface RouteModel {
  readonly config: RouteConfig;
  /** Undefined when the route names no cluster, or one that does not exist. */
  readonly cluster: ClusterState | undefined;
  /** Milliseconds, its own `Timeout` or that of its policy; undefined: no limit. */
  readonly timeout: number | undefined;
  /** Answers from the gateway itself (`Respond`, `Redirect`); undefined for a route that forwards. */
  readonly answer: ((ctx: ProxyContext) => void) | undefined;
  /** Its own pages for errors, before those of the proxy; undefined when there are none of its own. */
  readonly errorPages: ErrorPages | undefined;
  /** The transforms of the route, the implicit ones included. */
  readonly transforms: TransformPlan;
  /**
   * How to forward to the route's own cluster where nothing depends on the request; undefined when the route has
   * transforms of its own.
   */
  readonly forward: ForwardWithOptions | undefined;
  /** Shares the requests among clusters; `cluster` is undefined then. */
  readonly split: TrafficSplit | undefined;
  /** Undefined also when its cluster does not exist. */
  readonly mirror: MirrorModel | undefined;
  /** The route's own, which takes the place of the cluster's. */
  readonly retry: RetryPolicy | undefined;
  /** Whether requests may be tried again, by the route's or its clusters' configuration: the step `retry` is then part of its chain. */
  readonly mayRetry: boolean;
}
