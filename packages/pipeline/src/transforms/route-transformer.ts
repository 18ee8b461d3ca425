import {
  defaultTransformer,
  type ClientResponse,
  type ForwardWithOptions,
  type OutgoingRequest,
  type Transformer,
} from "@proxy/forwarder";
import type { Exchange, HeaderList, ResponseHead } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import { destinationModelOf } from "../state/cluster-models.ts";
import { handsOutAffinityKey, writeAffinityKey } from "../steps/session-affinity.ts";
import { timeLeft } from "../steps/timeout.ts";
import { isJoint } from "./field-spellings.ts";
import type { TransformPlan } from "./transform.ts";

/**
 * The transformer of routes without transforms: the forwarder's default, and no field of the X-Forwarded family that
 * the client made up.
 */
export const defaultRouteTransformer: Transformer = {
  ...defaultTransformer,
  request(exchange, outgoing) {
    dropClientForwarded(outgoing.headers);
    return defaultTransformer.request?.(exchange, outgoing);
  },
};

/** Removes what a client that is not trusted says of forwarding: `Forwarded` and every `X-Forwarded-…`, in whatever spelling. */
export function dropClientForwarded(headers: HeaderList): void {
  dropFields(headers, isForwardedKey);
}

/** Removes what no proxy writes, and one that is trusted may have passed on: `X_Forwarded_For` and its like. */
function dropRespelledForwarded(headers: HeaderList): void {
  dropFields(headers, isRespelledForwarded);
}

function dropFields(headers: HeaderList, isDropped: (key: string) => boolean): void {
  for (let i = 0; i < headers.size; i++) {
    if (isDropped(headers.keyAt(i))) {
      headers.filter((key) => !isDropped(key));
      return;
    }
  }
}

/** Whether a field with `key` tells for whom a request is forwarded: to be believed of trusted peers only. */
export function isForwardedKey(key: string): boolean {
  const first = key.charCodeAt(0);
  // x and f: most names end here.
  return first === 0x78 ? key.startsWith("x-forwarded-") || isXForwarded(key) : first === 0x66 && key === "forwarded";
}

/** `X-Forwarded-…` in any spelling. */
function isXForwarded(key: string): boolean {
  return key.startsWith("forwarded", 2) && key.length > 11 && isJoint(key, 1) && isJoint(key, 11);
}

function isRespelledForwarded(key: string): boolean {
  return key.charCodeAt(0) === 0x78 && isXForwarded(key) && /[^a-z0-9-]/.test(key);
}

/** How to forward this one request; `trusted`: what its peer says of forwarding may be believed. */
export function boundForwardOptions(ctx: ProxyContext, host: string | undefined, trusted: boolean): ForwardWithOptions {
  if (ctx.cluster === undefined) throw new TypeError("a request without a cluster cannot be forwarded");
  ctx.trustedPeer = trusted;
  return {
    client: ctx.cluster.client.client,
    activityTimeout: ctx.cluster.activityTimeout,
    version: ctx.cluster.version,
    versionPolicy: ctx.cluster.versionPolicy,
    timeout: timeLeft(ctx),
    transformer: new RouteTransformer(ctx, host, trusted),
  };
}

const hostOnly: ReadonlySet<string> = new Set(["host"]);

/** The transforms of a route, bound to one request: they may look at its context. */
export class RouteTransformer implements Transformer {
  readonly copyRequestHeaders: boolean;
  readonly copyResponseHeaders: boolean;
  readonly copyResponseTrailers: boolean;
  readonly omitRequestHeaders: ReadonlySet<string> | undefined;
  readonly response: Transformer["response"];
  readonly trailers: Transformer["trailers"];
  readonly #plan: TransformPlan;
  readonly #ctx: ProxyContext;
  readonly #host: string | undefined;
  readonly #trusted: boolean;
  #client: ClientResponse | undefined;

  constructor(ctx: ProxyContext, host: string | undefined, trusted: boolean) {
    const plan = ctx.route.transforms;
    this.copyRequestHeaders = plan.copyRequestHeaders;
    this.copyResponseHeaders = plan.copyResponseHeaders;
    this.copyResponseTrailers = plan.copyResponseTrailers;
    this.omitRequestHeaders = plan.originalHost === true ? undefined : hostOnly;
    this.response =
      plan.response.length === 0 && plan.trailers.length === 0 && !handsOutAffinityKey(ctx) && ctx.headWatch === undefined && ctx.stickyCookie === undefined
        ? undefined
        : (_exchange, client, destination) => this.#runResponse(client, destination, 0, undefined);
    this.trailers = plan.trailers.length === 0 ? undefined : (_exchange, trailers) => this.#runTrailers(trailers);
    this.#plan = plan;
    this.#ctx = ctx;
    this.#host = host;
    this.#trusted = trusted;
  }

  request(exchange: Exchange, outgoing: OutgoingRequest): void | Promise<void> {
    if (this.#trusted) dropRespelledForwarded(outgoing.headers);
    else dropClientForwarded(outgoing.headers);
    return this.#runRequest(exchange, outgoing, 0);
  }

  #runRequest(exchange: Exchange, outgoing: OutgoingRequest, from: number): void | Promise<void> {
    const transforms = this.#plan.request;
    const { response } = exchange;
    for (let i = from; i < transforms.length; i++) {
      const pending = transforms[i]?.(outgoing, this.#ctx);
      // Anything else that a transform gives counts as nothing.
      if (typeof pending === "object") return Promise.resolve(pending).then(() => this.#afterWait(exchange, outgoing, i + 1));
      if (response.started) return;
    }
    this.#settlePath(outgoing);
    this.#settleHost(exchange, outgoing.headers);
  }

  /** A path that transforms emptied is the destination's base path, or `/` where that is empty too (RFC 9112, 3.2.1). */
  #settlePath(outgoing: OutgoingRequest): void {
    const { destination } = this.#ctx;
    if (outgoing.path === "" && (destination === undefined || destinationModelOf(destination).prepared.basePath === "")) {
      outgoing.path = "/";
    }
  }

  /** A transform that answered ends the matter: nothing is forwarded. */
  #afterWait(exchange: Exchange, outgoing: OutgoingRequest, next: number): void | Promise<void> {
    if (!exchange.response.started) return this.#runRequest(exchange, outgoing, next);
  }

  /** All of them run, also when one of them keeps the body from the client. */
  #runResponse(
    client: ClientResponse,
    destination: ResponseHead | undefined,
    from: number,
    body: false | void,
  ): void | false | Promise<void | false> {
    this.#ctx.destinationStatus = destination?.status;
    if (destination !== undefined) this.#ctx.headWatch?.headCame();
    const transforms = this.#plan.response;
    let result = body;
    for (let i = from; i < transforms.length; i++) {
      const given = transforms[i]?.(client, this.#ctx, destination);
      if (given === false) result = false;
      else if (typeof given === "object") return Promise.resolve(given).then((later) => this.#runResponse(client, destination, i + 1, later === false ? later : result));
    }
    if (destination !== undefined) {
      writeAffinityKey(this.#ctx, client.headers);
      if (this.#ctx.stickyCookie !== undefined) client.headers.append("Set-Cookie", this.#ctx.stickyCookie);
    }
    this.#client = client;
    return result;
  }

  #runTrailers(trailers: HeaderList): void {
    const status = this.#client?.status ?? 0;
    for (const transform of this.#plan.trailers) transform(trailers, this.#ctx, status);
  }

  /**
   * Host is the destination's own, unless a transform set another; with `RequestHeaderOriginalHost`
   * it is the client's, also where fields are not copied. The forwarder adds the one of the address when none is there.
   */
  #settleHost(exchange: Exchange, headers: HeaderList): void {
    const { authority } = exchange.request;
    const current = headers.get("host");
    if (this.#plan.originalHost === true) {
      if (current === undefined && authority !== "") headers.append("Host", authority);
      return;
    }
    const { destination } = this.#ctx;
    const ownAuthority = destination === undefined ? undefined : destinationModelOf(destination).prepared.authority;
    if (current !== undefined && current !== ownAuthority) return;
    const own = this.#host ?? ownAuthority;
    if (own !== undefined) headers.set("Host", own);
  }
}
