import type { ClusterConfig, ProxyConfig, ProxyConfigInput } from "@proxy/config";
import { createReverseProxy, type ReverseProxy, type ReverseProxyOptions } from "@proxy/pipeline";
import { FakeHttpClient, type FakeCall } from "./fake-client.ts";
import { FakeExchange, type FakeRequest } from "./fake-exchange.ts";
import { RecordedEvents } from "./recorded-events.ts";

export interface TestProxy {
  readonly proxy: ReverseProxy;
  /** The clients that were made, in order. */
  readonly clients: FakeHttpClient[];
  readonly log: RecordedEvents;
  /** Sends a request and waits until the proxy is done with it. */
  send(request?: FakeRequest): Promise<FakeExchange>;
}

/** A proxy over destinations without connections; `script` answers what is sent to them. */
export async function testProxy(
  config: ProxyConfig | ProxyConfigInput,
  options: Partial<ReverseProxyOptions> & { readonly script?: ((call: FakeCall) => void) | undefined } = {},
): Promise<TestProxy> {
  const clients: FakeHttpClient[] = [];
  const log = new RecordedEvents();
  const { script = (call: FakeCall) => call.respond() } = options;
  const proxy = await createReverseProxy({
    config,
    logger: log,
    httpClientFactory: () => {
      const client = new FakeHttpClient(script);
      clients.push(client);
      return client;
    },
    ...options,
  });
  return {
    proxy,
    clients,
    log,
    async send(request) {
      const exchange = new FakeExchange(request);
      await proxy.handle(exchange);
      return exchange;
    },
  };
}

/** One route for every path, to cluster `c` with destinations of those ids. */
export function oneCluster(ids: readonly string[], cluster: Partial<ClusterConfig> = {}): ProxyConfigInput {
  const destinations = Object.fromEntries(ids.map((id) => [id, { address: `http://${id}.test/` }]));
  return {
    routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
    clusters: { c: { destinations, ...cluster } },
  };
}
