/**
 * What `CircuitBreaker` and `OutlierDetection` cost per request, and what it costs to refuse one: CPU time through `proxy.handle` over
 * destinations without connections. A forwarded request costs its sockets besides; a refused one only those of its client.
 *
 *     node --conditions=@proxy/source --expose-gc packages/pipeline/bench/limits.ts
 */
import type { ClusterConfig } from "@proxy/config";
import { HeaderList, type DestinationHandler, type HttpClient } from "@proxy/http";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { FakeExchange } from "../test/support/fake-exchange.ts";

const rounds = 7;
const requests = 50_000;
const call = { pause() {}, resume() {}, abort() {} };

/** Answers at once; or never, when `holds`. */
function clientOf(holds: () => boolean): HttpClient {
  const destination = {
    send(_request: unknown, handler: DestinationHandler) {
      if (holds()) return call;
      handler.onResponse({ status: 200, headers: new HeaderList() });
      handler.onEnd(undefined);
      return call;
    },
    close: () => Promise.resolve(),
    destroy() {},
  };
  return { destination: () => destination, close: () => Promise.resolve(), destroy() {} };
}

async function proxyOf(cluster: Partial<ClusterConfig>, count: number, holds: () => boolean = () => false): Promise<ReverseProxy> {
  const destinations = Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, { address: `http://d${i}.test` }]));
  return createReverseProxy({
    config: {
      routes: { all: { clusterId: "c", match: { path: "/{**rest}" } } },
      clusters: { c: { destinations, ...cluster } },
    },
    httpClientFactory: () => clientOf(holds),
  });
}

const headers: [string, string][] = Array.from({ length: 8 }, (_, i) => [`X-Header-${i}`, "value"]);

async function measure(name: string, { handle }: ReverseProxy, status: number): Promise<void> {
  const costs: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const exchanges = Array.from({ length: requests }, () => new FakeExchange({ target: "/some/path?q=1", headers }));
    globalThis.gc?.();
    const heap = process.memoryUsage().heapUsed;
    const start = process.cpuUsage();
    for (const exchange of exchanges) {
      const pending = handle(exchange);
      if (pending !== undefined) await pending;
    }
    const { user, system } = process.cpuUsage(start);
    costs.push((user + system) / requests);
    bytes = (process.memoryUsage().heapUsed - heap) / requests;
    const wrong = exchanges.find((each) => each.response.status !== status);
    if (wrong !== undefined) throw new Error(`${name}: ${wrong.response.status} instead of ${status}`);
  }
  const [first = 0] = costs.toSorted((a, b) => a - b).slice(rounds >> 1);
  process.stdout.write(`${name.padEnd(58)}${first.toFixed(2).padStart(6)} µs  ${bytes.toFixed(0).padStart(6)} B  (${costs.map((each) => each.toFixed(2)).join(" ")})\n`);
}

/** All slots are taken by requests that never end. */
async function full(limits: ClusterConfig["circuitBreaker"], count: number, taken: number): Promise<ReverseProxy> {
  let holds = true;
  const proxy = await proxyOf({ circuitBreaker: limits }, count, () => holds);
  for (let i = 0; i < taken; i++) void proxy.handle(new FakeExchange());
  holds = false;
  return proxy;
}

process.stdout.write("per request: CPU time (median of rounds), bytes allocated (last round; less where a collection ran)\n");
await measure("forwarded, no limits", await proxyOf({}, 10), 200);
await measure("forwarded, both limits set", await proxyOf({ circuitBreaker: { maxRequests: 1000, maxRequestsPerDestination: 100 } }, 10), 200);
await measure("forwarded, outlier detection", await proxyOf({ outlierDetection: { enabled: true } }, 10), 200);
await measure("forwarded, outlier detection with latencies", await proxyOf({ outlierDetection: { enabled: true, latencyPercent: 300 } }, 10), 200);
await measure("forwarded, passive health", await proxyOf({ healthCheck: { passive: { enabled: true } } }, 10), 200);
await measure("refused: the cluster is full", await full({ maxRequests: 10 }, 10, 10), 503);
await measure("refused: all 10 destinations are full", await full({ maxRequestsPerDestination: 1 }, 10, 200), 503);
await measure("refused: all 1,000 destinations are full", await full({ maxRequestsPerDestination: 1 }, 1_000, 30_000), 503);
await measure("refused: no destination is available", await proxyOf({}, 0), 503);
process.exit(0);
