/**
 * The forms of `Transforms` from code, with the names that they have in configuration:
 * `defineConfig({ routes: { r: { transforms: [transforms.pathPrefix("/v1")], … } } })`. They give what a file would hold, so
 * that checks and meaning are the same.
 */

import type { ForwardedAction } from "./forwarded-action.ts";

/** One transform as configuration holds it. */
export type TransformConfig = Readonly<Record<string, string>>;

/** In the place of the values that are there, or behind them. */
export type SetOrAppend =
  | { readonly set: string; readonly append?: undefined }
  | { readonly append: string; readonly set?: undefined };

/** On which responses: with a status below 400 (`Success`, the default), from 400 on or without a destination's, or all. */
export interface OnResponses {
  readonly when?: "Success" | "Failure" | "Always" | undefined;
}

/** What becomes of an X-Forwarded header that came: replaced, added to, removed, or passed as it is. */
export type XForwardedAction = ForwardedAction;

/** What becomes of single headers, where that is not what becomes of all. */
export interface XForwardedOptions {
  readonly for?: XForwardedAction | undefined;
  readonly host?: XForwardedAction | undefined;
  readonly proto?: XForwardedAction | undefined;
  readonly prefix?: XForwardedAction | undefined;
  /** Default `X-Forwarded-`. */
  readonly headerPrefix?: string | undefined;
}

/** How `for` and `by` name a node (RFC 7239, 6). */
export type NodeFormatName =
  | "Random"
  | "RandomAndPort"
  | "RandomAndRandomPort"
  | "Unknown"
  | "UnknownAndPort"
  | "UnknownAndRandomPort"
  | "Ip"
  | "IpAndPort"
  | "IpAndRandomPort"
  | "None";

/** How nodes are written in `Forwarded` (RFC 7239), and what becomes of what came. Default: `Random`, `Set`. */
export interface ForwardedOptions {
  readonly forFormat?: NodeFormatName | undefined;
  readonly byFormat?: NodeFormatName | undefined;
  readonly action?: XForwardedAction | undefined;
}

export interface RedirectToHttpsOptions {
  /** Default: the host of the request. */
  readonly host?: string | undefined;
  /** Default 443. */
  readonly port?: string | undefined;
}

/** An empty text takes an attribute out; undefined leaves it as it is. */
export interface CookieChange {
  readonly domain?: string | undefined;
  readonly path?: string | undefined;
  /** Only paths below it change: `path` takes that part's place. */
  readonly fromPath?: string | undefined;
  readonly sameSite?: "Strict" | "Lax" | "None" | "" | undefined;
  readonly secure?: boolean | undefined;
  readonly httpOnly?: boolean | undefined;
}

export interface SecurityHeadersOptions extends OnResponses {
  /** Replace what the destination says. Default false. */
  readonly override?: boolean | undefined;
  /** Values of single fields; an empty one leaves the field out. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Which bodies are changed. */
export interface BodyOptions {
  /** Media types, joined parts may be stars: `["text/*", "image/svg+xml"]`. Default: those that are text, or JSON. */
  readonly contentTypes?: readonly string[] | undefined;
  /** Most bytes of a body without its content codings. */
  readonly maxSize?: number | undefined;
}

export interface ResponseBodyOptions extends BodyOptions {
  /** Whether bodies are decoded and encoded again (`Recompress`, the default), or destinations asked not to encode them. */
  readonly encoding?: "Recompress" | "Identity" | undefined;
  /** Default `Always`. */
  readonly when?: "Success" | "Failure" | "Always" | undefined;
}

/** What to do where the pointer points: put a text there, or what a JSON text says, or take out what is there. */
export type JsonChange =
  | { readonly set: string; readonly setJson?: undefined; readonly remove?: undefined }
  | { readonly setJson: string; readonly set?: undefined; readonly remove?: undefined }
  | { readonly remove: true; readonly set?: undefined; readonly setJson?: undefined };

/** The same transform, only where `condition` holds: `onlyIf("method GET and not header X-Internal", …)`. */
export function onlyIf(condition: string, transform: TransformConfig): TransformConfig {
  return { ...transform, If: condition };
}

/** The forms, each with the arguments that it needs. Nothing is checked here. */
export const transforms = {
  pathPrefix: (prefix: string) => form("PathPrefix", prefix),
  pathRemovePrefix: (prefix: string) => form("PathRemovePrefix", prefix),
  pathSet: (path: string) => form("PathSet", path),
  pathPattern: (template: string) => form("PathPattern", template),
  pathRegex: (expression: string, change: { readonly replace: string }) => form("PathRegex", expression, change),
  queryValueParameter: (name: string, change: SetOrAppend) => form("QueryValueParameter", name, change),
  queryRouteParameter: (name: string, change: SetOrAppend) => form("QueryRouteParameter", name, change),
  queryRemoveParameter: (name: string) => form("QueryRemoveParameter", name),
  httpMethodChange: (from: string, change: { readonly set: string }) => form("HttpMethodChange", from, change),
  requestHeadersCopy: (copy: boolean) => form("RequestHeadersCopy", copy),
  requestHeadersAllowed: (names: readonly string[]) => form("RequestHeadersAllowed", names),
  requestHeaderOriginalHost: (original: boolean) => form("RequestHeaderOriginalHost", original),
  requestHeader: (name: string, change: SetOrAppend) => form("RequestHeader", name, change),
  requestHeaderRouteValue: (name: string, change: SetOrAppend) => form("RequestHeaderRouteValue", name, change),
  requestHeaderRemove: (name: string) => form("RequestHeaderRemove", name),
  xForwarded: (action: XForwardedAction, options: XForwardedOptions = {}) => form("X-Forwarded", action, options),
  forwarded: (parts: readonly ("for" | "by" | "host" | "proto")[], options: ForwardedOptions = {}) =>
    form("Forwarded", parts.join(","), options),
  clientAddress: (name: string) => form("ClientAddress", name),
  clientCert: (name: string) => form("ClientCert", name),
  redirectToHttps: (status: 301 | 302 | 307 | 308, options: RedirectToHttpsOptions = {}) =>
    form("RedirectToHttps", String(status), options),
  responseHeadersCopy: (copy: boolean) => form("ResponseHeadersCopy", copy),
  responseHeadersAllowed: (names: readonly string[]) => form("ResponseHeadersAllowed", names),
  responseHeader: (name: string, change: SetOrAppend & OnResponses) => form("ResponseHeader", name, change),
  responseHeaderRemove: (name: string, on: OnResponses = {}) => form("ResponseHeaderRemove", name, on),
  responseLocation: (base: string, options: { readonly from?: string | undefined } = {}) => form("ResponseLocation", base, options),
  responseCookie: (name: string, change: CookieChange) => form("ResponseCookie", name, change),
  securityHeaders: (preset: "Default" | "Strict", options: SecurityHeadersOptions = {}) =>
    form("SecurityHeaders", preset, { override: options.override, when: options.when, ...options.headers }),
  responseTrailersCopy: (copy: boolean) => form("ResponseTrailersCopy", copy),
  responseTrailersAllowed: (names: readonly string[]) => form("ResponseTrailersAllowed", names),
  responseTrailer: (name: string, change: SetOrAppend & OnResponses) => form("ResponseTrailer", name, change),
  responseTrailerRemove: (name: string, on: OnResponses = {}) => form("ResponseTrailerRemove", name, on),
  requestBodyReplace: (find: string, change: { readonly with: string } & BodyOptions) => form("RequestBodyReplace", find, change),
  requestBodyJson: (pointer: string, change: JsonChange & BodyOptions) => form("RequestBodyJson", pointer, change),
  responseBodyReplace: (find: string, change: { readonly with: string } & ResponseBodyOptions) => form("ResponseBodyReplace", find, change),
  responseBodyJson: (pointer: string, change: JsonChange & ResponseBodyOptions) => form("ResponseBodyJson", pointer, change),
} as const;

type Value = string | boolean | number | readonly string[];

function form(key: string, value: Value, options: object = {}): TransformConfig {
  const configured: Record<string, string> = { [key]: text(value) };
  for (const [name, each] of Object.entries(options) as [string, Value | undefined][]) {
    if (each !== undefined) configured[name.charAt(0).toUpperCase() + name.slice(1)] = text(each);
  }
  return configured;
}

function text(value: Value): string {
  return typeof value === "object" ? value.join(";") : String(value);
}
