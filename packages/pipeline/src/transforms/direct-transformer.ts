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
  /** Code that changes requests, or answers them itself; runs behind the configured forms, unless one of those has answered. */
  readonly request?: Transformer["request"];
  /** The same for responses; false, from it or from a form, keeps body and trailers from the client. */
  readonly response?: Transformer["response"];
  readonly trailers?: Transformer["trailers"];
}

/**
 * A transformer for `forward` and `forwardNode` of `@proxy/forwarder` from the forms that routes have: `transforms.pathPrefix("/v1")` and its
 * like, and from code. One serves any number of requests at once. Throws `ConfigError` with all that is wrong with them.
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
  readonly #ownRequest: Transformer["request"];
  readonly #bound = new WeakMap<Exchange, RouteTransformer>();

  constructor(plan: TransformPlan, options: CreateTransformerOptions) {
    this.#contextOf = contexts(plan, options);
    this.copyRequestHeaders = plan.copyRequestHeaders;
    this.copyResponseHeaders = plan.copyResponseHeaders;
    this.copyResponseTrailers = plan.copyResponseTrailers;
    this.omitRequestHeaders = plan.originalHost === true ? undefined : new Set(["host"]);
    this.#ownRequest = options.request;
    const response: Transformer["response"] =
      plan.response.length + plan.trailers.length === 0
        ? undefined
        : (exchange: Exchange, client: ClientResponse, destination: ResponseHead | undefined) =>
            this.#of(exchange).response?.(exchange, client, destination);
    this.response = bothResponses(response, options.response);
    const trailers =
      plan.trailers.length === 0 ? undefined : (exchange: Exchange, fields: HeaderList) => this.#of(exchange).trailers?.(exchange, fields);
    const ownTrailers = options.trailers;
    this.trailers =
      trailers === undefined || ownTrailers === undefined
        ? (trailers ?? ownTrailers)
        : (exchange, fields) => {
            trailers(exchange, fields);
            ownTrailers(exchange, fields);
          };
  }

  request(exchange: Exchange, outgoing: OutgoingRequest): void | Promise<void> {
    const configured = this.#of(exchange).request(exchange, outgoing);
    const own = this.#ownRequest;
    if (own === undefined) return configured;
    const runOwn = (): void | Promise<void> => (exchange.response.started ? undefined : own(exchange, outgoing));
    return configured === undefined ? runOwn() : configured.then(runOwn);
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

/** One after the other; false of either is what both say. */
function bothResponses(first: Transformer["response"], second: Transformer["response"]): Transformer["response"] {
  if (first === undefined || second === undefined) return first ?? second;
  return (exchange, client, destination) => {
    const said = first(exchange, client, destination);
    if (typeof said === "object") return said.then(async (one) => keepsBody(one, await second(exchange, client, destination)));
    const next = second(exchange, client, destination);
    return typeof next === "object" ? next.then((other) => keepsBody(said, other)) : keepsBody(said, next);
  };
}

function keepsBody(first: void | false, second: void | false): void | false {
  if (first === false || second === false) return false;
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
