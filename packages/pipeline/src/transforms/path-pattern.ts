import { normalizePath } from "@proxy/http";
import { parseTemplate, TemplateError, type RouteTemplate } from "../routing/route-template.ts";
import { writeTemplate } from "../routing/template-writer.ts";
import { warnOfRouteValue } from "./route-value-names.ts";
import type { TransformFactory } from "./transform.ts";

/**
 * `PathPattern: /x/{a}/{**rest}` builds the path from a template and the values that the route's path captured; a value
 * keeps its encoding. A template that cannot be filled makes the path empty.
 */
export const pathPattern: TransformFactory = {
  key: "PathPattern",
  build(settings, plan, route) {
    if (!settings.only()) return;
    let template: RouteTemplate;
    try {
      template = parseTemplate(settings.value);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      settings.report("bad-path-pattern", `transform 'PathPattern' has ${error.message}`);
      return;
    }
    for (const { name, default: preset, optional } of template.parameters) {
      if (preset === undefined && !optional) warnOfRouteValue(settings, route, name);
    }
    plan.request.push((outgoing, ctx) => {
      const path = writeTemplate(template, ctx.routeValues) ?? "";
      // A value that is part of a segment (`{a}-x`) may be `..`; alone in a segment it would lead out of the pattern.
      if (path !== "" && normalizePath(path) !== path) throw new Error("the route values make a path with dot segments");
      outgoing.path = path;
    });
  },
};
