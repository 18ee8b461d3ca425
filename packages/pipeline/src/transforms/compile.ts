/**
 * From the `Transforms` of a route to one prepared transformer. The request's run in this order:
 *
 * 1. fields are copied by the forwarder, unless `RequestHeadersCopy` is off;
 * 2. forwarding fields of a client that is not trusted are removed;
 * 3. the configured transforms, in the order of the configuration;
 * 4. the default X-Forwarded set, unless a transform decided on it;
 * 5. Host, as `RequestHeaderOriginalHost` says (default: the destination's own).
 */
import type { ConfigIssue, RouteConfig } from "@proxy/config";
import { clientCert } from "./client-cert.ts";
import { forwarded } from "./forwarded.ts";
import { httpMethodChange } from "./method.ts";
import { pathPattern } from "./path-pattern.ts";
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
import { requestHeaderRouteValue } from "./route-value-header.ts";
import { TransformSettings, type TransformFault } from "./transform-settings.ts";
import type { TransformFactory, TransformPlan } from "./transform.ts";
import { addDefaultXForwarded, xForwarded } from "./x-forwarded.ts";

const builtIn: readonly TransformFactory[] = [
  pathPrefix,
  pathRemovePrefix,
  pathSet,
  pathPattern,
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
  clientCert,
  responseHeadersCopy,
  responseHeadersAllowed,
  responseHeader,
  responseHeaderRemove,
  responseTrailersCopy,
  responseTrailersAllowed,
  responseTrailer,
  responseTrailerRemove,
];

/** The forms of transforms that are known, by their keys ignoring case. */
export type TransformCatalogue = ReadonlyMap<string, TransformFactory>;

/** The built-in forms and `factories`. Throws when two have the same key. */
export function transformCatalogue(factories: Iterable<TransformFactory> = []): TransformCatalogue {
  const catalogue = new Map<string, TransformFactory>();
  for (const factory of [...builtIn, ...factories]) {
    const key = factory.key.toLowerCase();
    if (catalogue.has(key)) throw new TypeError(`duplicate transform '${factory.key}'`);
    catalogue.set(key, factory);
  }
  return catalogue;
}

/** What the transforms of `route` add up to; everything wrong with them goes to `issues`. */
export function planTransforms(route: RouteConfig, catalogue: TransformCatalogue, issues: ConfigIssue[]): TransformPlan {
  if ((route.transforms ?? []).length === 0) return defaultPlan;
  const plan = emptyPlan();
  for (const [index, configured] of (route.transforms ?? []).entries()) {
    if (!isTransform(configured)) continue;
    const faults: TransformFault[] = [];
    const keys = Object.keys(configured);
    const factory = keys.map((key) => catalogue.get(key.toLowerCase())).find((each) => each !== undefined);
    if (factory === undefined) {
      const known = [...catalogue.values()].map((each) => each.key).sort();
      faults.push({
        code: "unknown-transform",
        severity: "error",
        message: `unknown transform '${keys.join(";")}'`,
        hint: `known are ${known.join(", ")}`,
      });
    } else factory.build(new TransformSettings(factory.key, configured, faults), plan, route);
    for (const fault of faults) issues.push(issueOf(route, index, fault));
  }
  if (!plan.forwardedConfigured) addDefaultXForwarded(plan);
  return plan;
}

function emptyPlan(): TransformPlan {
  return {
    request: [],
    response: [],
    trailers: [],
    copyRequestHeaders: true,
    copyResponseHeaders: true,
    copyResponseTrailers: true,
    originalHost: undefined,
    forwardedConfigured: false,
  };
}

/** That of all routes without transforms. */
const defaultPlan = emptyPlan();
addDefaultXForwarded(defaultPlan);

/** What has no shape of a transform is reported by the checks of the configuration itself. */
function isTransform(configured: unknown): boolean {
  return (
    typeof configured === "object" &&
    configured !== null &&
    Object.keys(configured).length > 0 &&
    Object.values(configured).every((value) => typeof value === "string")
  );
}

function issueOf(route: RouteConfig, index: number, fault: TransformFault): ConfigIssue {
  return {
    code: fault.code,
    severity: fault.severity,
    message: `${fault.message} (route '${route.routeId}')`,
    hint: fault.hint,
    entity: { kind: "route", id: route.routeId },
    path: ["Transforms", index],
  };
}
