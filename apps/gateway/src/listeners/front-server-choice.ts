import type { ServerEngine } from "@proxy/config";
import { createEngineServer, createHttp2Server, createNodeServer, createTlsServer } from "@proxy/http";
import type { FrontServer, FrontServerOptions, FrontTls } from "@proxy/http";
import type { ListenerSettings } from "./listener-settings.ts";

/** Makes the server for a listener: by its protocols and, for cleartext HTTP/1.1, by `Server:Engine`. */
export function createFrontServer(
  engine: ServerEngine,
  { protocols }: Pick<ListenerSettings, "protocols">,
  options: FrontServerOptions,
  tls: FrontTls | undefined,
): FrontServer {
  if (tls !== undefined) {
    return createTlsServer({ ...options, tls, protocols: alpn[protocols] });
  }
  if (protocols === "Http2") return createHttp2Server(options);
  return engine === "node" ? createNodeServer(options) : createEngineServer(options);
}

const alpn = {
  Http1: ["http/1.1"],
  Http2: ["h2"],
  Http1AndHttp2: ["h2", "http/1.1"],
} as const;
