import type { RouteConfig } from "@proxy/config";
import { parseTemplate, TemplateError } from "../routing/route-template.ts";
import type { TransformSettings } from "./transform-settings.ts";

/** Warns where a transform names a route value that the route's path never captures: it would be without effect. */
export function warnOfRouteValue(settings: TransformSettings, route: RouteConfig, name: string): void {
  const names = capturedBy(route.match.path ?? "");
  if (names === undefined || names.some((each) => each.toLowerCase() === name.toLowerCase())) return;
  settings.warn(
    "unknown-route-value",
    `transform '${settings.form}' names the route value '${name}', which the route's path does not capture`,
    names.length === 0 ? "its path captures none: write {name} into it" : `its path captures ${names.join(", ")}`,
  );
}

/** Undefined for a path that is none: that is reported elsewhere. */
function capturedBy(path: string): readonly string[] | undefined {
  try {
    return parseTemplate(path).parameters.map((parameter) => parameter.name);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}
