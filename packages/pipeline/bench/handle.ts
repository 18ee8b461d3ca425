/**
 * What the pipeline costs per request beside the forwarder and the sockets: the same fake exchange through `proxy.handle`
 * and through `forwardWith` alone. And how long 10 000 routes take to load.
 *
 *   node --conditions=@proxy/source packages/pipeline/bench/handle.ts
 */
import { forwardWith, prepareDestination } from "@proxy/forwarder";
import type { RetryConfig, RouteConfig } from "@proxy/config";
import type { DestinationHandler, HttpClient } from "@proxy/http";
import { HeaderList } from "@proxy/http";
import { createReverseProxy, type ReverseProxy } from "@proxy/pipeline";
import { defaultRouteTransformer } from "../src/transforms/route-transformer.ts";
import { FakeExchange } from "../test/support/fake-exchange.ts";

const rounds = 5;
const requests = 100_000;
const call = { pause() {}, resume() {}, abort() {} };
const destination = {
  send(_request: unknown, handler: DestinationHandler) {
    handler.onResponse({ status: 200, headers: new HeaderList() });
    handler.onEnd(undefined);
    return call;
  },
  close: () => Promise.resolve(),
  destroy() {},
};
const client: HttpClient = { destination: () => destination, close: () => Promise.resolve(), destroy() {} };

const headers: [string, string][] = Array.from({ length: 8 }, (_, i) => [`X-Header-${i}`, "value"]);

async function proxyOf(transforms: Record<string, string>[], route: Partial<RouteConfig> = { clusterId: "c" }, retry?: RetryConfig): Promise<ReverseProxy> {
  return createReverseProxy({
    config: {
      routes: { all: { match: { path: "/{**rest}" }, transforms, ...route } },
      clusters: { c: { retry, destinations: { a: { address: "http://a.test" }, b: { address: "http://b.test" } } } },
    },
    httpClientFactory: () => client,
  });
}

async function measure(name: string, run: (exchange: FakeExchange) => void | Promise<void>): Promise<void> {
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const exchanges = Array.from({ length: requests }, () => new FakeExchange({ target: "/some/path?q=1", headers }));
    const start = process.cpuUsage();
    for (const exchange of exchanges) await run(exchange);
    const { user, system } = process.cpuUsage(start);
    results.push((user + system) / requests);
  }
  const median = results.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
  process.stdout.write(`${name.padEnd(42)} ${median.toFixed(2)} µs  (${results.map((each) => each.toFixed(2)).join(" ")})\n`);
}

const prepared = prepareDestination("http://a.test");
const options = { client, transformer: defaultRouteTransformer };
await measure("forwardWith alone", (exchange) => new Promise((resolve) => forwardWith(exchange, prepared, options, () => resolve())));
const plain = await proxyOf([]);
await measure("handle, no transforms", (exchange) => plain.handle(exchange));
const changing = await proxyOf([{ PathRemovePrefix: "/some" }, { RequestHeader: "X-A", Set: "1" }]);
await measure("handle, two transforms", (exchange) => changing.handle(exchange));

for (const [name, proxy] of [
  ["handle, retries on", await proxyOf([], undefined, {})],
  ["handle, a split", await proxyOf([], { trafficSplit: { clusters: { c: 1 } } })],
  ["handle, a mirror of every request", await proxyOf([], { clusterId: "c", mirror: { clusterId: "c" } })],
] as const) {
  await measure(name, (exchange) => proxy.handle(exchange));
}

const routes = Object.fromEntries(
  Array.from({ length: 10_000 }, (_, i) => [`r${i}`, { clusterId: "c", match: { path: `/area${i % 100}/item${i}/{id}` } }]),
);
let start = process.cpuUsage();
const took = (): string => {
  const { user, system } = process.cpuUsage(start);
  start = process.cpuUsage();
  return `${((user + system) / 1000).toFixed(0)} ms`;
};
const many = await createReverseProxy({ config: { routes, clusters: { c: {} } }, httpClientFactory: () => client });
const loaded = took();
await many.update({ routes, clusters: { c: {} } });
process.stdout.write(`10 000 routes, CPU time: load ${loaded}, reload ${took()}\n`);
process.exit(0);
