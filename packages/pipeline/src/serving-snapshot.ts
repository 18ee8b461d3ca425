import type { ClusterStates } from "@proxy/cluster";
import type { ExchangeHandler } from "@proxy/http";
import type { RouteModel } from "./route-model.ts";
import { compileRouteTable, type RouteTable } from "./routing/index.ts";
import type { ProxyState } from "./state/proxy-state.ts";
import type { RouteSlot } from "./state/route-compiler.ts";
import type { Trust } from "./trusted-peers.ts";

/** What all requests are served from; replaced as one. */
export interface ServingSnapshot {
  readonly revisionId: string;
  readonly table: RouteTable<RouteSlot>;
  /** By lower-case id. */
  readonly routes: ReadonlyMap<string, RouteModel>;
  /** By path; undefined where there are none. */
  readonly endpoints: ReadonlyMap<string, ExchangeHandler> | undefined;
}

/** Before any configuration: no routes. */
export const emptySnapshot: ServingSnapshot = {
  revisionId: "",
  table: compileRouteTable<RouteSlot>([]),
  routes: new Map(),
  endpoints: undefined,
};

/** What steps and applications see of a running proxy: always what is in force. */
export function stateView(snapshot: () => ServingSnapshot, clusters: ClusterStates, trusts: Trust): ProxyState {
  return {
    trusts,
    get revisionId() {
      return snapshot().revisionId;
    },
    get routes() {
      return snapshot().table.entries.flatMap((entry) => entry.payload.model ?? []);
    },
    get clusters() {
      return clusters.all;
    },
    route: (id) => snapshot().routes.get(id.toLowerCase()),
    cluster: (id) => clusters.get(id),
  };
}
