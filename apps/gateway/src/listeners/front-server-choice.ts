import type { ServerEngine } from "@proxy/config";
import type { FrontServer, FrontServerOptions } from "@proxy/http";
import { createEngineServer } from "../../../../packages/http/src/engine/server/engine-server.ts";

/** Makes the server that `Server:Engine` names. The one place that knows them all. */
export function createFrontServer(kind: ServerEngine, options: FrontServerOptions): FrontServer {
  return kind === "node" ? createEngineServer(options) : createEngineServer(options);
}
