import type { ClusterConfig, RouteConfig } from "@proxy/config";
import type { RequestTransform, ResponseTransform, TrailersTransform, TransformPlan } from "./transform.ts";
import type { TransformConfig } from "./transforms.ts";

/** What builds one configured transform into a plan. */
export type TransformBuild = (configured: TransformConfig, plan: TransformPlan) => void;

/** What a provider adds transforms to: those of one route, which run after the ones that it has by configuration. */
export class TransformBuilder {
  readonly route: RouteConfig;
  /** The route's cluster; undefined when it names none that exists. */
  readonly cluster: ClusterConfig | undefined;
  /** What there is so far; its switches, such as `copyRequestHeaders`, may be set. */
  readonly plan: TransformPlan;
  readonly #build: TransformBuild;

  constructor(route: RouteConfig, cluster: ClusterConfig | undefined, plan: TransformPlan, build: TransformBuild) {
    this.route = route;
    this.cluster = cluster;
    this.plan = plan;
    this.#build = build;
  }

  /** Adds transforms in the form of configuration: `add(transforms.pathPrefix("/v1"))`. What is wrong refuses the configuration. */
  add(...configured: readonly TransformConfig[]): this {
    for (const each of configured) this.#build(each, this.plan);
    return this;
  }

  /** Adds a function that changes requests, or answers them itself. */
  request(transform: RequestTransform): this {
    this.plan.request.push(transform);
    return this;
  }

  /** Adds a function that changes responses; it also runs, without a destination's head, for answers of the gateway itself. */
  response(transform: ResponseTransform): this {
    this.plan.response.push(transform);
    return this;
  }

  /** Adds a function that changes trailers. */
  trailers(transform: TrailersTransform): this {
    this.plan.trailers.push(transform);
    return this;
  }
}
