/* oxlint-disable no-console -- the console stands for the log of whoever copies this */
import type { Exchange } from "@proxy/http";
import { createHttpClient, forward, prepareDestination, type Transformer } from "@proxy/forwarder";
import type { HttpClientFactory } from "@proxy/pipeline";

// IForwarderHttpClientFactory: one client for each set of HttpClient settings
export const clientFactory: HttpClientFactory = (settings, cluster) => {
  console.log("a client for", cluster.clusterId);
  return createHttpClient({ maxConnections: settings.maxConnectionsPerServer, connectTimeout: 2_000, maxResponseHeadersSize: 16_384 });
};

// IHttpForwarder.SendAsync(context, "https://…", httpClient, requestConfig, transformer)
export function createForwardingHandler(address: string) {
  const client = createHttpClient();
  const destination = prepareDestination(address);
  // HttpTransformer: TransformRequestAsync and its kin
  const transformer: Transformer = {
    omitRequestHeaders: new Set(["host", "cookie"]),
    request: (_exchange, outgoing) => outgoing.headers.set("X-Forwarded-By", "us"),
    response: (_exchange, response) => void response.headers.remove("server"),
  };
  return async (exchange: Exchange): Promise<void> => {
    const error = await forward(exchange, destination, client, { activityTimeout: 100_000, transformer });
    if (error !== undefined) console.error(error.code, error.message);
  };
}
