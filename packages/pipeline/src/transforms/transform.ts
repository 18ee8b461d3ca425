import type { RouteConfig } from "@proxy/config";
import type { OutgoingRequest } from "@proxy/forwarder";
import type { HeaderList, ResponseHead } from "@proxy/http";
import type { ProxyContext } from "../context.ts";
import type { TransformSettings } from "./transform-settings.ts";

/** The response on its way to the client, before its head is sent. */
export interface ClientResponse {
  status: number;
  reason: string | undefined;
  readonly headers: HeaderList;
}

/** Changes the request that goes to the destination; the one that came from the client stays as it is. */
export type RequestTransform = (outgoing: OutgoingRequest, ctx: ProxyContext) => void | Promise<void>;

/** `destination` is the head that came, or undefined when none did: the answer is then the gateway's own. */
export type ResponseTransform = (
  response: ClientResponse,
  ctx: ProxyContext,
  destination: ResponseHead | undefined,
) => void | Promise<void>;

/** What the transforms of one route add up to; filled by the factories in the order of the configuration. */
export interface TransformPlan {
  readonly request: RequestTransform[];
  readonly response: ResponseTransform[];
  copyRequestHeaders: boolean;
  copyResponseHeaders: boolean;
  /** Whether the client's Host goes to the destination; undefined when no transform says. */
  originalHost: boolean | undefined;
  /** True once a transform decides on forwarding fields: the default set is then left out. */
  forwardedConfigured: boolean;
}

/** Understands one form of the `Transforms` of a route. */
export interface TransformFactory {
  /** The key that tells the form from others, such as `PathPrefix`; keys ignore case. */
  readonly key: string;
  /** Adds to `plan`, or reports through `settings` what is wrong. Runs when configuration is compiled. */
  build(settings: TransformSettings, plan: TransformPlan, route: RouteConfig): void;
}
