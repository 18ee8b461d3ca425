import type { ClusterConfig, ConfigIssue, RouteConfig } from "@proxy/config";
import type { TransformBuilder } from "./transform-builder.ts";

/** Adds transforms by code, to any route: what no configuration of the route itself says. */
export interface TransformProvider {
  /** What of its own settings (in `metadata`, say) is wrong in a route; runs with all other checks of a configuration. */
  readonly validateRoute?: ((route: RouteConfig) => readonly ConfigIssue[]) | undefined;
  readonly validateCluster?: ((cluster: ClusterConfig) => readonly ConfigIssue[]) | undefined;
  /**
   * Called once for each route when a configuration is put in force, after the route's own transforms are built. A throw
   * refuses the configuration.
   */
  apply(transforms: TransformBuilder): void;
}
