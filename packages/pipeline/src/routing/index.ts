export { compileRouteTable } from "./route-table.ts";
export type {
  RouteEntry,
  RouteRequest,
  RouteTable,
  RouteTableOptions,
  RouteMatchResult,
  RouteMatched,
  RouteNotFound,
  RouteMethodNotAllowed,
} from "./route-table.ts";
export type { RouteExplanation, RouteOutcome } from "./route-explanation.ts";
export { createRouteValidator, routeValidator } from "./route-validator.ts";
export { captureValues, routeValuesOf } from "./route-values.ts";
export type { RouteValues } from "./route-values.ts";
export { parseTemplate, TemplateError } from "./route-template.ts";
export type {
  RouteTemplate,
  TemplateErrorReason,
  TemplateLiteral,
  TemplateParameter,
  TemplatePart,
  TemplateSegment,
} from "./route-template.ts";
export { writeTemplate } from "./template-writer.ts";
export { ConstraintError } from "./constraint.ts";
export type { ConstraintErrorCode, ConstraintFactory, RouteConstraint } from "./constraint.ts";
