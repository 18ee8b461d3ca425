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
export type { RouteValues } from "./route-values.ts";
export type { RouteConstraint, ConstraintFactory } from "./constraints.ts";
