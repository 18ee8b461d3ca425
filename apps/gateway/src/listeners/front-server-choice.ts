import type { ServerEngine } from "@proxy/config";
import { createEngineServer, createNodeServer } from "@proxy/http";
import type { FrontServer, FrontServerOptions } from "@proxy/http";

/** Makes the server that `Server:Engine` names. The one place that knows them all. */
export function createFrontServer(engine: ServerEngine, options: FrontServerOptions): FrontServer {
  return engine === "node" ? createNodeServer(options) : createEngineServer(options);
}
