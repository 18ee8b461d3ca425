/**
 * From the `Transforms` of a route to one prepared transformer. The request's run in this order:
 *
 * 1. fields are copied by the forwarder, unless `RequestHeadersCopy` is off;
 * 2. forwarding fields of a client that is not trusted are removed;
 * 3. the configured transforms, in the order of the configuration, then those of providers;
 * 4. the default X-Forwarded set, unless a transform decided on it;
 * 5. what transforms of the response body need to be asked for;
 * 6. Host, as `RequestHeaderOriginalHost` says (default: the destination's own).
 */
import { suggest, type ClusterConfig, type ConfigIssue, type RouteConfig } from "@proxy/config";
import type { TransformCatalogue } from "./catalogue.ts";
import { parseCondition } from "./condition.ts";
import { buildConditionally } from "./conditional.ts";
import { TransformBuilder } from "./transform-builder.ts";
import { TransformSettings, type TransformFault } from "./transform-settings.ts";
import type { TransformPlan } from "./transform.ts";
import type { TransformConfig } from "./transforms.ts";
import { addDefaultXForwarded } from "./x-forwarded.ts";

/** What the transforms that `route` is configured with add up to; everything wrong with them goes to `issues`. */
export function planTransforms(route: RouteConfig, catalogue: TransformCatalogue, issues: ConfigIssue[]): TransformPlan {
  if ((route.transforms ?? []).length === 0) return defaultPlan;
  const plan = emptyPlan();
  addConfigured(plan, route, catalogue, issues);
  return withDefaults(plan);
}

/** The same with what the providers of `catalogue` add; to be called when the route's cluster is known. */
export function planWithProviders(
  route: RouteConfig,
  cluster: ClusterConfig | undefined,
  catalogue: TransformCatalogue,
  issues: ConfigIssue[],
): TransformPlan {
  const plan = emptyPlan();
  addConfigured(plan, route, catalogue, issues);
  const builder = new TransformBuilder(route, cluster, plan, (configured, into) => {
    const faults = isTransform(configured) ? buildTransform(configured, into, route, catalogue) : [notText];
    for (const fault of faults) issues.push(issueOf(route, undefined, fault));
  });
  for (const provider of catalogue.providers) provider.apply(builder);
  return isEmpty(plan) ? defaultPlan : withDefaults(plan);
}

/** Whether nothing but the default set is left to do: the forwarder then needs to know nothing of the request. */
export function isDefaultPlan(plan: TransformPlan): boolean {
  return plan === defaultPlan;
}

function addConfigured(plan: TransformPlan, route: RouteConfig, catalogue: TransformCatalogue, issues: ConfigIssue[]): void {
  for (const [index, configured] of (route.transforms ?? []).entries()) {
    if (!isTransform(configured)) continue;
    for (const fault of buildTransform(configured, plan, route, catalogue)) issues.push(issueOf(route, index, fault));
  }
}

function buildTransform(
  configured: TransformConfig,
  plan: TransformPlan,
  route: RouteConfig,
  catalogue: TransformCatalogue,
): readonly TransformFault[] {
  const faults: TransformFault[] = [];
  const keys = Object.keys(configured);
  const factory = keys.map((key) => catalogue.keyed.get(key.toLowerCase())).find((each) => each !== undefined);
  const conditionKey = keys.find((key) => key.toLowerCase() === "if");
  const own = conditionKey === undefined ? configured : without(configured, conditionKey);
  const settings = new TransformSettings(factory?.key ?? Object.keys(own)[0] ?? "", own, faults);
  let isKnown = true;
  const build = (into: TransformPlan): void => {
    if (factory !== undefined) factory.build(settings, into, route);
    else isKnown = catalogue.open.some((each) => each.build(settings, into, route));
  };
  if (conditionKey !== undefined && factory?.always === true) {
    settings.report("if-not-possible", `transform '${factory.key}' has to hold for every request and takes no If`);
  }
  if (conditionKey === undefined) build(plan);
  else {
    const condition = parseCondition(settings, configured[conditionKey] ?? "");
    // Without a condition to go by, the rest is checked all the same.
    buildConditionally(settings, plan, condition ?? { holds: () => false, needsStatus: false }, build);
  }
  if (isKnown) return faults;
  const known = [...catalogue.keyed.values()].map((each) => each.key).sort();
  const meant = keys.map((key) => suggest(key, known)).find((each) => each !== undefined);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean '${meant}'?`;
  settings.report("unknown-transform", `unknown transform '${keys.join(";")}'`, hint);
  return faults;
}

function without(configured: TransformConfig, key: string): TransformConfig {
  return Object.fromEntries(Object.entries(configured).filter(([each]) => each !== key));
}

function emptyPlan(): TransformPlan {
  return {
    request: [],
    response: [],
    trailers: [],
    preparation: [],
    copyRequestHeaders: true,
    copyResponseHeaders: true,
    copyResponseTrailers: true,
    originalHost: undefined,
    forwardedConfigured: false,
  };
}

function isEmpty(plan: TransformPlan): boolean {
  return (
    plan.request.length + plan.response.length + plan.trailers.length === 0 &&
    plan.copyRequestHeaders &&
    plan.copyResponseHeaders &&
    plan.copyResponseTrailers &&
    plan.originalHost !== true &&
    !plan.forwardedConfigured
  );
}

function withDefaults(plan: TransformPlan): TransformPlan {
  if (!plan.forwardedConfigured) addDefaultXForwarded(plan);
  plan.request.push(...plan.preparation);
  return plan;
}

/** That of all routes without transforms. */
const defaultPlan = withDefaults(emptyPlan());

const notText: TransformFault = { code: "unknown-transform", message: "a transform from code is no map of texts", severity: "error" };

/** What has no shape of a transform is reported by the checks of the configuration itself. */
function isTransform(configured: unknown): configured is TransformConfig {
  return (
    typeof configured === "object" &&
    configured !== null &&
    Object.keys(configured).length > 0 &&
    Object.values(configured).every((value) => typeof value === "string")
  );
}

function issueOf(route: RouteConfig, index: number | undefined, fault: TransformFault): ConfigIssue {
  return {
    code: fault.code,
    severity: fault.severity,
    message: `${fault.message} (route '${route.routeId}')`,
    hint: fault.hint,
    entity: { kind: "route", id: route.routeId },
    path: index === undefined ? ["Transforms"] : ["Transforms", index],
  };
}
