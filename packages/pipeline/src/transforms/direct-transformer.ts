import { ConfigError, type ConfigIssue } from "@proxy/config";
import { prepareDestination, type ClientResponse, type Destination, type OutgoingRequest, type Transformer } from "@proxy/forwarder";
import type { Exchange, HeaderList, ResponseHead } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import { clientBehind } from "../client-address.ts";
import { parseTemplate } from "../routing/route-template.ts";
import { captureValues, type RouteValues } from "../routing/route-values.ts";
import { trustedPeers } from "../trusted-peers.ts";
import { transformCatalogue } from "./catalogue.ts";
import { planTransforms } from "./compile.ts";
import { RouteTransformer } from "./route-transformer.ts";
import type { OpenTransformFactory, TransformFactory, TransformPlan } from "./transform.ts";
import type { TransformConfig } from "./transforms.ts";

export interface CreateTransformerOptions {
  /** Where requests go: what `ResponseLocation` takes for the destination's own addresses. Default: not known. */
  readonly destination?: string | Destination | undefined;
  /** A route template that tells the values of `PathPattern` and its like from the path. Default: there are no values. */
  readonly path?: string | undefined;
  /** Peers whose `X-Forwarded-*` and `Forwarded` are believed. Default none: what clients send of these is removed. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Forms beside the built-in ones. */
  readonly factories?: readonly (TransformFactory | OpenTransformFactory)[] | undefined;
}

/**
 * A transformer for `forward` and `forwardNode` of `@proxy/forwarder` from the forms that routes have: `transforms.pathPrefix("/v1")` and its
 * like. One serves any number of requests at once. Throws `ConfigError` with all that is wrong with them.
 */
export function createTransformer(configured: readonly TransformConfig[], options: CreateTransformerOptions = {}): Transformer {
  const issues: ConfigIssue[] = [];
  const plan = planTransforms({ routeId: "direct", match: { path: options.path }, transforms: configured }, transformCatalogue(options.factories), issues);
  if (issues.some((issue) => issue.severity === "error")) throw new ConfigError("the transforms cannot be used", issues);
  return new DirectTransformer(plan, options);
}

class DirectTransformer implements Transformer {
  readonly copyRequestHeaders: boolean;
  readonly copyResponseHeaders: boolean;
  readonly copyResponseTrailers: boolean;
  readonly omitRequestHeaders: ReadonlySet<string> | undefined;
  readonly response: Transformer["response"];
  readonly trailers: Transformer["trailers"];
  readonly #contextOf: (exchange: Exchange) => ProxyContext;
  readonly #bound = new WeakMap<Exchange, RouteTransformer>();

  constructor(plan: TransformPlan, options: CreateTransformerOptions) {
    this.#contextOf = contexts(plan, options);
    this.copyRequestHeaders = plan.copyRequestHeaders;
    this.copyResponseHeaders = plan.copyResponseHeaders;
    this.copyResponseTrailers = plan.copyResponseTrailers;
    this.omitRequestHeaders = plan.originalHost === true ? undefined : new Set(["host"]);
    this.response =
      plan.response.length + plan.trailers.length === 0
        ? undefined
        : (exchange: Exchange, client: ClientResponse, destination: ResponseHead | undefined) =>
            this.#of(exchange).response?.(exchange, client, destination);
    this.trailers =
      plan.trailers.length === 0 ? undefined : (exchange: Exchange, trailers: HeaderList) => this.#of(exchange).trailers?.(exchange, trailers);
  }

  request(exchange: Exchange, outgoing: OutgoingRequest): void | Promise<void> {
    return this.#of(exchange).request(exchange, outgoing);
  }

  #of(exchange: Exchange): RouteTransformer {
    let bound = this.#bound.get(exchange);
    if (bound === undefined) {
      const ctx = this.#contextOf(exchange);
      bound = new RouteTransformer(ctx, undefined, ctx.trustedPeer);
      this.#bound.set(exchange, bound);
    }
    return bound;
  }
}

/** What transforms look at of a context, where there is no proxy. */
function contexts(plan: TransformPlan, options: CreateTransformerOptions): (exchange: Exchange) => ProxyContext {
  const { destination: to, trustedProxies = [] } = options;
  const prepared = typeof to === "string" ? prepareDestination(to) : to;
  const destination = prepared === undefined ? undefined : { id: "direct", model: { prepared, host: undefined } };
  const route = { config: { routeId: "direct" }, transforms: plan };
  const template = options.path === undefined ? undefined : parseTemplate(options.path);
  const trust = trustedPeers(trustedProxies);
  const behind = trustedProxies.length === 0 ? undefined : clientBehind(trust);
  return (exchange) => {
    if (behind !== undefined) exchange.clientAddress ??= behind(exchange);
    const ctx = {
      exchange,
      route,
      destination,
      trustedPeer: trust(exchange.connection.remoteAddress),
      get routeValues() {
        return (template === undefined ? undefined : captureValues(template, exchange.request.path)) ?? noValues;
      },
    };
    return ctx as unknown as ProxyContext;
  };
}

const noValues: RouteValues = { get: () => undefined, getRaw: () => undefined, [Symbol.iterator]: () => [].values() };
