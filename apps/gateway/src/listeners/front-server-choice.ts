import type { HttpSysConfig } from "@proxy/config";
import { createEngineServer, createHttp2Server, createNodeServer, createTlsServer } from "@proxy/http";
import { createHttpSysServer } from "@proxy/httpsys";
import type { FrontServer, FrontServerOptions, FrontTls } from "@proxy/http";
import type { HostSettings } from "../configuration/host-settings.ts";
import type { ListenerSettings } from "./listener-settings.ts";

/** Makes the server for a listener: HTTP.sys for all; else by its protocols and, for cleartext HTTP/1.1, by `Server:Engine`. */
export function createFrontServer(
  { engine, httpSys, addresses }: Pick<HostSettings, "engine" | "httpSys" | "addresses">,
  address: ListenerSettings,
  options: FrontServerOptions,
  tls: FrontTls | undefined,
): FrontServer {
  if (engine === "HttpSys") return httpSysServer(httpSys, address, addresses.length, options);
  const { protocols } = address;
  if (tls !== undefined) {
    return createTlsServer({ ...options, tls, protocols: alpn[protocols] });
  }
  if (protocols === "Http2") return createHttp2Server(options);
  return engine === "node" ? createNodeServer(options) : createEngineServer(options);
}

/** `localhost` is a prefix of its own: it needs no reservation. The protocols are what Windows speaks, its certificates those of Windows. */
function httpSysServer(config: HttpSysConfig, address: ListenerSettings, count: number, options: FrontServerOptions): FrontServer {
  const { queueName, libraryPath } = config;
  if (queueName !== undefined && count > 1) {
    throw new TypeError("Server:HttpSys:QueueName names one queue, and there is more than one address to listen on");
  }
  const scheme = address.secure === true ? "https" : "http";
  return createHttpSysServer({
    ...options,
    libraryPath,
    scheme,
    queue: { name: queueName, mode: queueName === undefined ? "create" : "createOrOpen" },
    prefixes: address.host === "localhost" ? [`${scheme}://localhost:${address.port}/`] : undefined,
  });
}

const alpn = {
  Http1: ["http/1.1"],
  Http2: ["h2"],
  Http1AndHttp2: ["h2", "http/1.1"],
} as const;
