import type { ClusterConfig, HttpClientConfig } from "@proxy/config";
import { createHttpClient } from "@proxy/forwarder";
import { DestinationTls, type HeaderEncoding, type HeaderEncodings, type HttpClient, type HttpClientOptions, watchFiles } from "@proxy/http";
import type { ProxyLogger } from "../logger.ts";
import { clientTlsFiles, clientTlsOptions } from "./client-tls.ts";

/** A destination that hangs must not gather requests without end. */
const defaultMaxQueuedRequests = 10_000;

/** .NET's names and the usual ones. */
const encodings: ReadonlyMap<string, HeaderEncoding> = new Map([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["us-ascii", "us-ascii"],
  ["ascii", "us-ascii"],
  ["iso-8859-1", "iso-8859-1"],
  ["latin1", "iso-8859-1"],
]);

/**
 * Makes the clients for the settings of clusters: `HttpClient` in their configuration. Files of certificates are read here and
 * looked at every `interval` milliseconds (default 1000) for as long as the client lives: what changed in them counts for the
 * connections to come, and what cannot be used is told and changes nothing.
 */
export function httpClientFactory(logger: ProxyLogger, interval?: number): (settings: HttpClientConfig, cluster: ClusterConfig) => HttpClient {
  return (settings, cluster) => {
    const options = httpClientOptions(settings);
    const files = clientTlsFiles(settings);
    if (files.length === 0) return createHttpClient(options);
    const tls = new DestinationTls(clientTlsOptions(settings));
    const told = { cluster: cluster.clusterId, files: files.join(", ") };
    const stop = watchFiles(files, () => {
      try {
        tls.update(clientTlsOptions(settings) ?? {});
        logger.event("info", "client-certificates-changed", told);
      } catch (error) {
        logger.event("warning", "client-certificates-refused", { ...told, error });
      }
    }, interval);
    return untilClosed(createHttpClient({ ...options, tls }), stop);
  };
}

/** What those settings are to a client; what is not said has the client's default, save that its queue has a bound. */
export function httpClientOptions(settings: HttpClientConfig): HttpClientOptions & HeaderEncodings {
  const { webProxy } = settings;
  return {
    maxConnections: settings.maxConnectionsPerServer,
    multipleHttp2Connections: settings.enableMultipleHttp2Connections,
    maxQueuedRequests: settings.maxQueuedRequests ?? defaultMaxQueuedRequests,
    queueTimeout: settings.queueTimeout,
    connectTimeout: settings.connectTimeout,
    idleTimeout: settings.idleTimeout,
    connectionLifetime: settings.connectionLifetime,
    prewarm: settings.prewarm,
    localAddress: settings.localAddress || undefined,
    tls: clientTlsOptions(settings),
    requestHeaderEncoding: encodings.get(settings.requestHeaderEncoding?.toLowerCase() ?? ""),
    responseHeaderEncoding: encodings.get(settings.responseHeaderEncoding?.toLowerCase() ?? ""),
    webProxy: webProxy?.address ? { address: webProxy.address, bypassOnLocal: webProxy.bypassOnLocal } : undefined,
  };
}

function untilClosed(client: HttpClient, stop: () => void): HttpClient {
  return {
    destination: (origin) => client.destination(origin),
    close() {
      stop();
      return client.close();
    },
    destroy(cause) {
      stop();
      client.destroy(cause);
    },
  };
}
