/**
 * What transforms cost per request, without forwarding: copying is not counted, checks of the forwarder neither.
 *
 *   node --conditions=@proxy/source packages/pipeline/bench/transforms.ts
 *
 * Budgets: the default set below 2 µs, ten transforms below 6 µs.
 */
import { prepareDestination, type OutgoingRequest, type Transformer } from "@proxy/forwarder";
import { HeaderList } from "@proxy/http";
import type { ProxyContext } from "@proxy/pipeline";
import { parseTemplate } from "../src/routing/route-template.ts";
import { captureValues } from "../src/routing/route-values.ts";
import { transformCatalogue } from "../src/transforms/catalogue.ts";
import { planTransforms } from "../src/transforms/compile.ts";
import { boundForwardOptions, defaultRouteTransformer } from "../src/transforms/route-transformer.ts";
import { transforms, type TransformConfig } from "../src/transforms/transforms.ts";
import { FakeExchange } from "../test/support/fake-exchange.ts";

const rounds = 65;
/** Few enough that what is prepared for a round does not grow old. */
const requests = 5_000;
const exchange = new FakeExchange({
  target: "/api/acme/orders/7?page=2&sort=name",
  headers: Array.from({ length: 8 }, (_, i) => [`X-Header-${i}`, "value"] as const),
});
const template = parseTemplate("/api/{tenant}/{**rest}");
const destination = { model: { prepared: prepareDestination("http://10.0.0.1:8080"), host: undefined } };
const cluster = { client: { client: undefined }, activityTimeout: undefined };
const answer = HeaderList.from([["Content-Type", "text/plain"], ["Server", "x"], ["Content-Length", "2"]]);

function requestOf(headers: HeaderList): OutgoingRequest {
  const { method, path, query } = exchange.request;
  return { method, destinationPrefix: "http://10.0.0.1:8080", path, query, url: undefined, headers, body: undefined, attempt: 1 };
}

function measure(name: string, budget: number, transformerOf: () => Transformer): void {
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const outgoing = Array.from({ length: requests }, () => requestOf(exchange.request.headers.copy()));
    const responses = Array.from({ length: requests }, () => ({ status: 200, reason: undefined, headers: answer.copy() }));
    const start = process.cpuUsage();
    for (let i = 0; i < requests; i++) {
      const transformer = transformerOf();
      void transformer.request?.(exchange, outgoing[i] as OutgoingRequest);
      const response = responses[i] as (typeof responses)[number];
      void transformer.response?.(exchange, response, response);
    }
    const { user, system } = process.cpuUsage(start);
    results.push((user + system) / requests);
  }
  // The first rounds warm up. What is prepared for a round makes most of the garbage: the mean has its collection in it, the median has not.
  const sorted = results.slice(5).toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const mean = sorted.reduce((sum, each) => sum + each, 0) / sorted.length;
  const verdict = median < budget ? "" : `  ABOVE ${budget} µs`;
  process.stdout.write(`${name.padEnd(34)} median ${median.toFixed(2)} µs, mean ${mean.toFixed(2)} µs${verdict}\n`);
}

/** What transforms look at of a context; what the path captured is computed when it is asked for. */
class Context {
  readonly exchange = exchange;
  readonly cluster = cluster;
  readonly destination = destination;
  readonly route: unknown;
  trustedPeer = false;

  constructor(route: unknown) {
    this.route = route;
  }

  get routeValues(): unknown {
    return captureValues(template, exchange.request.path);
  }
}

function bound(configured: readonly TransformConfig[]): () => Transformer {
  const plan = planTransforms({ routeId: "r", match: {}, transforms: configured }, transformCatalogue(), []);
  const route = { config: { routeId: "r" }, transforms: plan };
  return () => {
    const ctx = new Context(route) as unknown as ProxyContext;
    return boundForwardOptions(ctx, undefined, false).transformer as Transformer;
  };
}

measure("default set", 2, () => defaultRouteTransformer);
measure("default set, bound to the request", 2, bound([transforms.requestHeaderOriginalHost(false)]));
measure("two transforms", 6, bound([transforms.pathRemovePrefix("/api"), transforms.requestHeader("X-A", { set: "1" })]));
measure(
  "ten transforms",
  6,
  bound([
    transforms.pathRemovePrefix("/api"),
    transforms.pathPrefix("/v2"),
    transforms.queryValueParameter("source", { set: "edge" }),
    transforms.requestHeader("X-A", { set: "1" }),
    transforms.requestHeaderRouteValue("X-Tenant", { set: "tenant" }),
    transforms.requestHeaderRemove("X-Header-3"),
    transforms.xForwarded("Append"),
    transforms.responseHeader("Cache-Control", { set: "no-store", when: "Always" }),
    transforms.responseHeaderRemove("Server"),
    transforms.securityHeaders("Default"),
  ]),
);
