import type { FrontServer, FrontServerOptions } from "@proxy/http";
import { createNodeServer } from "@proxy/http";

export type FrontServerKind = "node";

/** Makes the server that a kind stands for. The one place that knows the kinds. */
export function createFrontServer(_kind: FrontServerKind, options: FrontServerOptions): FrontServer {
  return createNodeServer(options);
}
