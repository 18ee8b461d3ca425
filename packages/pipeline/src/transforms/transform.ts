import type { RouteConfig } from "@proxy/config";
import type { ClientResponse, OutgoingRequest } from "@proxy/forwarder";
import type { HeaderList, ResponseHead } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import type { TransformSettings } from "./transform-settings.ts";

export type { ClientResponse } from "@proxy/forwarder";

/**
 * Changes the request that goes to the destination; the one that came from the client stays as it is. One that answers
 * on `ctx.exchange.response` ends the matter: those after it do not run and nothing is forwarded.
 */
export type RequestTransform = (outgoing: OutgoingRequest, ctx: ProxyContext) => void | Promise<void>;

/**
 * `destination` is the head that came, or undefined when none did: the answer is then the gateway's own. Giving false
 * keeps the body and the trailers from the client.
 */
export type ResponseTransform = (
  response: ClientResponse,
  ctx: ProxyContext,
  destination: ResponseHead | undefined,
) => void | false | Promise<void | false>;

/** Changes the trailers on their way to a client that can take some; `status` is that of the response. */
export type TrailersTransform = (trailers: HeaderList, ctx: ProxyContext, status: number) => void;

/** What the transforms of one route add up to; filled by the factories in the order of the configuration. */
export interface TransformPlan {
  readonly request: RequestTransform[];
  readonly response: ResponseTransform[];
  readonly trailers: TrailersTransform[];
  /** What transforms of responses have to change in requests; runs after all of `request`, without regard to an `If`. */
  readonly preparation: RequestTransform[];
  copyRequestHeaders: boolean;
  copyResponseHeaders: boolean;
  copyResponseTrailers: boolean;
  /** Whether the client's Host goes to the destination; undefined when no transform says. */
  originalHost: boolean | undefined;
  /** True once a transform decides on forwarding fields: the default set is then left out. */
  forwardedConfigured: boolean;
}

/** Understands one form of the `Transforms` of a route. */
export interface TransformFactory {
  /** The key that tells the form from others, such as `PathPrefix`; keys ignore case. */
  readonly key: string;
  /** True for a form that must hold for every request, so that it takes no `If`. Default false. */
  readonly always?: boolean | undefined;
  /** Adds to `plan`, or reports through `settings` what is wrong. Runs when configuration is compiled. */
  build(settings: TransformSettings, plan: TransformPlan, route: RouteConfig): void;
}

/**
 * Understands forms of `Transforms` that no single key tells. Asked in the order of registration, after those with a key,
 * until one gives true.
 */
export interface OpenTransformFactory {
  readonly key?: undefined;
  /** True when the form is this factory's: it has then added to `plan` or reported what is wrong. Otherwise it does nothing. */
  build(settings: TransformSettings, plan: TransformPlan, route: RouteConfig): boolean;
}
