import type { HttpClientConfig, SslProtocol } from "@proxy/config";
import { createHttpClient } from "@proxy/forwarder";
import type { DestinationTlsOptions, HttpClient, HttpClientOptions } from "@proxy/http";

const tlsVersions: Readonly<Record<SslProtocol, NonNullable<DestinationTlsOptions["minVersion"]> | undefined>> = {
  // Node speaks neither: they allow nothing.
  Ssl2: undefined,
  Ssl3: undefined,
  Tls: "TLSv1",
  Tls11: "TLSv1.1",
  Tls12: "TLSv1.2",
  Tls13: "TLSv1.3",
};

/** A destination that hangs must not gather requests without end. */
const defaultMaxQueuedRequests = 10_000;

/** The client for the settings of a cluster: `HttpClient` in its configuration. */
export function httpClientFor(settings: HttpClientConfig): HttpClient {
  return createHttpClient(httpClientOptions(settings));
}

/** What those settings are to a client; what is not said has the client's default, save that its queue has a bound. */
export function httpClientOptions(settings: HttpClientConfig): HttpClientOptions {
  return {
    maxConnections: settings.maxConnectionsPerServer,
    maxQueuedRequests: settings.maxQueuedRequests ?? defaultMaxQueuedRequests,
    queueTimeout: settings.queueTimeout,
    connectTimeout: settings.connectTimeout,
    idleTimeout: settings.idleTimeout,
    connectionLifetime: settings.connectionLifetime,
    prewarm: settings.prewarm,
    tls: tlsOptions(settings),
  };
}

function tlsOptions(settings: HttpClientConfig): DestinationTlsOptions | undefined {
  const versions = (settings.sslProtocols ?? []).flatMap((name) => tlsVersions[name] ?? []).sort();
  if (versions.length === 0 && !settings.dangerousAcceptAnyServerCertificate) return undefined;
  return {
    acceptAnyCertificate: settings.dangerousAcceptAnyServerCertificate,
    minVersion: versions[0],
    maxVersion: versions.at(-1),
  };
}
