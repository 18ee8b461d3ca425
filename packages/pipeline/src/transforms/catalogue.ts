/** The forms that `Transforms` may have: the built-in ones, and what an application adds. */
import { requestBodyJson, requestBodyReplace, responseBodyJson, responseBodyReplace } from "./body/body-forms.ts";
import { clientAddress } from "./client-address-header.ts";
import { clientCert } from "./client-cert.ts";
import { forwarded } from "./forwarded.ts";
import { httpMethodChange } from "./method.ts";
import { pathPattern } from "./path-pattern.ts";
import { pathRegex } from "./path-regex.ts";
import { pathPrefix, pathRemovePrefix, pathSet } from "./path.ts";
import { queryRemoveParameter, queryRouteParameter, queryValueParameter } from "./query.ts";
import {
  requestHeader,
  requestHeaderOriginalHost,
  requestHeaderRemove,
  requestHeadersAllowed,
  requestHeadersCopy,
} from "./request-headers.ts";
import { responseHeader, responseHeaderRemove, responseHeadersAllowed, responseHeadersCopy } from "./response-headers.ts";
import {
  responseTrailer,
  responseTrailerRemove,
  responseTrailersAllowed,
  responseTrailersCopy,
} from "./response-trailers.ts";
import { redirectToHttps } from "./redirect-to-https.ts";
import { responseCookie } from "./response-cookie.ts";
import { responseLocation } from "./response-location.ts";
import { securityHeaders } from "./security-headers.ts";
import { requestHeaderRouteValue } from "./route-value-header.ts";
import type { TransformProvider } from "./transform-provider.ts";
import type { OpenTransformFactory, TransformFactory } from "./transform.ts";
import { xForwarded } from "./x-forwarded.ts";

/** The built-in forms, in the order of the manual. */
export const builtIn: readonly TransformFactory[] = [
  pathPrefix,
  pathRemovePrefix,
  pathSet,
  pathPattern,
  pathRegex,
  queryValueParameter,
  queryRouteParameter,
  queryRemoveParameter,
  httpMethodChange,
  requestHeadersCopy,
  requestHeadersAllowed,
  requestHeaderOriginalHost,
  requestHeader,
  requestHeaderRouteValue,
  requestHeaderRemove,
  xForwarded,
  forwarded,
  clientAddress,
  clientCert,
  redirectToHttps,
  responseHeadersCopy,
  responseHeadersAllowed,
  responseHeader,
  responseHeaderRemove,
  responseLocation,
  responseCookie,
  securityHeaders,
  responseTrailersCopy,
  responseTrailersAllowed,
  responseTrailer,
  responseTrailerRemove,
  requestBodyReplace,
  requestBodyJson,
  responseBodyReplace,
  responseBodyJson,
];

/** What turns configuration into transforms. */
export interface TransformCatalogue {
  /** By their keys in lower case. */
  readonly keyed: ReadonlyMap<string, TransformFactory>;
  /** Asked in order about what has no known key. */
  readonly open: readonly OpenTransformFactory[];
  readonly providers: readonly TransformProvider[];
}

/** The built-in forms and `factories`. Throws when two have the same key. */
export function transformCatalogue(
  factories: Iterable<TransformFactory | OpenTransformFactory> = [],
  providers: Iterable<TransformProvider> = [],
): TransformCatalogue {
  const keyed = new Map<string, TransformFactory>();
  const open: OpenTransformFactory[] = [];
  for (const factory of [...builtIn, ...factories]) {
    if (factory.key === undefined) {
      open.push(factory);
      continue;
    }
    const key = factory.key.toLowerCase();
    if (keyed.has(key)) throw new TypeError(`duplicate transform '${factory.key}'`);
    keyed.set(key, factory);
  }
  return { keyed, open, providers: [...providers] };
}
