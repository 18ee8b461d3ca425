import type { ConfigIssue, ConfigValidator, RouteConfig } from "@proxy/config";
import { compileRoute } from "./compiled-route.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import { ConstraintCatalogue } from "./constraint-catalogue.ts";
import { sortRoutes } from "./route-table.ts";
import type { RouteTableOptions } from "./route-table.ts";
import { findTies } from "./route-ties.ts";

/** The faults that only a parser of templates and constraints finds; the rest is the configuration's to say. */
const own = new Set(["path-invalid", "constraint-unknown", "constraint-arguments", "constraint-regex"]);

/**
 * Reports what is wrong with the paths of routes (`path-invalid`, `constraint-unknown`, `constraint-arguments`,
 * `constraint-regex`), and routes that can tie (`route-tie`, a warning).
 */
export function createRouteValidator(options: RouteTableOptions = {}): ConfigValidator {
  return {
    name: "routes",
    validateRoute(route) {
      const issues: ConfigIssue[] = [];
      compileRoute(readable(route), 0, new ConstraintCatalogue(options.constraints), issues);
      return issues.filter(({ code }) => own.has(code));
    },
    validateConfig({ routes }) {
      const catalogue = new ConstraintCatalogue(options.constraints);
      const compiled: CompiledRoute[] = [];
      for (const [index, route] of routes.entries()) {
        const one = compileRoute(readable(route), index, catalogue, []);
        if (one !== undefined) compiled.push(one);
      }
      return findTies(sortRoutes(compiled));
    },
  };
}

/** The validator for tables with the built-in constraints only. */
export const routeValidator: ConfigValidator = createRouteValidator();

/** A validator also sees routes that others will refuse: holes in lists, no match at all, empty hosts. */
function readable(route: RouteConfig): RouteConfig {
  const match: Partial<RouteConfig["match"]> = route.match ?? {};
  return {
    ...route,
    match: {
      ...match,
      path: typeof match.path === "string" ? match.path : undefined,
      hosts: match.hosts?.filter((host) => typeof host === "string" && host !== ""),
      methods: match.methods?.filter((method) => typeof method === "string"),
      headers: match.headers?.filter(named),
      queryParameters: match.queryParameters?.filter(named),
    },
  };
}

function named(rule: { readonly name: string } | null | undefined): boolean {
  return typeof rule?.name === "string";
}
