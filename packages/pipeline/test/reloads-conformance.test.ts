/** The cases of `config-reload` about what a running proxy keeps and rebuilds; those about providers stand with the configuration. */
import { afterAll, describe, expect, it } from "vitest";
import type { ClusterConfig, HttpClientConfig, ProxyConfig } from "@proxy/config";
import { loadArea, type ConformanceCase, type Shapeless } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { isAskedOfProxy } from "@proxy/conformance/split-areas";
import { httpClientOptions } from "../src/state/http-client.ts";
import { testProxy, type TestProxy } from "./support/proxies.ts";

// The shape differs by case.
/** Case to the row of the deviations that decides otherwise; the better behaviour is pinned below. */
const superseded: Readonly<Record<string, string>> = { "config-reload.destination-state.2a3be329": "D10" };

const cases = loadArea("config-reload").cases.filter((one) => isAskedOfProxy(one, "config-reload"));

describe("conformance: config-reload, the running proxy", () => {
  let held = 0;
  let instead = 0;
  let failed = 0;
  afterAll(() => reportArea("config-reload (proxy)", { held, superseded: instead, failed }));
  for (const one of cases) {
    if (superseded[one.id] !== undefined) instead++;
    else {
      it(`${one.id}: ${one.title}`, async () => {
        failed++;
        await check(one);
        failed--;
        held++;
      });
    }
  }
});

async function check({ given, expect: expected, rule, title }: ConformanceCase): Promise<void> {
  if (given.kind === "client-default") await checkDefault(title, expected);
  else if (rule === "client-settings") checkSettings(given.new, expected);
  else await checkUpdate(given.before, given.after, expected);
}

const clusterNames: Readonly<Record<string, keyof ClusterConfig>> = {
  LoadBalancingPolicy: "loadBalancingPolicy",
  HttpClient: "httpClient",
};

/** What a case means by `before` or `after`: a cluster, the addresses of destinations, ids of clusters, a route, or words. */
function configOf(given: Shapeless): ProxyConfig {
  const route = { routeId: "r", clusterId: "c", match: { path: "/{**rest}" } };
  const config = (clusters: readonly ClusterConfig[], routes: ProxyConfig["routes"] = [route]): ProxyConfig => ({
    routes,
    clusters,
    revisionId: JSON.stringify(given),
  });
  if (given === "cluster missing") return config([]);
  if (given === "cluster present") return config([{ clusterId: "c" }]);
  if (Array.isArray(given)) return config(given.map((clusterId) => ({ clusterId })));
  if ("Order" in given) return config([{ clusterId: "c" }], [{ ...route, order: given.Order }]);
  if ("ClusterId" in given) {
    const cluster: Record<string, unknown> = { clusterId: given.ClusterId };
    for (const [name, member] of Object.entries(clusterNames)) cluster[member] = camelCased(given[name]);
    cluster["destinations"] = Object.fromEntries(
      Object.entries(given.Destinations ?? {}).map(([id, each]) => [id, { address: (each as Shapeless).Address }]),
    );
    return config([cluster as unknown as ClusterConfig]);
  }
  const destinations = Object.fromEntries(Object.entries(given).map(([id, address]) => [id, { address: address as string }]));
  return config([{ clusterId: "c", destinations }]);
}

function camelCased(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.charAt(0).toLowerCase() + key.slice(1), camelCased(each)]));
}

async function started(given: Shapeless, changes: string[], removed: string[]): Promise<TestProxy> {
  return testProxy(configOf(given), {
    clusterListeners: [
      { changed: (cluster) => void changes.push(cluster.id), removed: (cluster) => void removed.push(cluster.id) },
    ],
  });
}

async function checkUpdate(before: Shapeless, after: Shapeless, expected: Shapeless): Promise<void> {
  const changes: string[] = [];
  const removed: string[] = [];
  const { proxy, clients } = await started(before, changes, removed);
  const route = proxy.state.route("r");
  const revision = proxy.state.cluster("c")?.revision ?? 0;
  const destinations = proxy.state.cluster("c")?.destinations.all ?? [];
  const ids = destinations.map((each) => each.id);
  const made = clients.length;

  await proxy.update(configOf(after));

  const cluster = proxy.state.cluster("c");
  const now = cluster?.destinations.all ?? [];
  const held: Record<string, unknown> = {
    address: now[0]?.model.config.address,
    clusterRevision: [revision, cluster?.revision],
    clusterRevisionGrows: (cluster?.revision ?? 0) > revision,
    sameDestinationObject: now[0] === destinations[0],
    routeRebuilt: proxy.state.route("r") !== route,
    httpClientReused: clients.length === made,
    changed: changes.length > 0,
    added: now.filter((each) => !destinations.includes(each)).map((each) => each.id),
    removed: ids.filter((id) => !now.some((each) => each.id === id)),
    clusters: proxy.state.clusters.map((each) => each.id),
    removedEvents: removed,
    health: Object.fromEntries(
      Object.keys(expected.health ?? {}).map((id) => {
        const found = now.find((each) => each.id === id);
        return [id, { active: found?.activeHealth, passive: found?.passiveHealth }];
      }),
    ),
  };
  for (const [name, value] of Object.entries(expected)) expect(held[name], name).toEqual(value);
  await proxy.close();
}

it("an update that cannot be used is told, and the configuration in force stays", async () => {
  const told: string[] = [];
  const { proxy, send } = await testProxy(configOf({ d: "http://a.test/" }), {
    listeners: [{ applyingFailed: () => void told.push("applying failed") }],
  });
  const route = proxy.state.route("r");
  const bad = { routes: [{ routeId: "r" } as never], clusters: [], revisionId: "bad" };
  await expect(proxy.update(bad)).rejects.toThrow("a route needs a Match");
  expect(proxy.state.route("r")).toBe(route);
  expect((await send()).response.status).toBe(200);
  expect(told).toEqual(["applying failed"]);
});

/** What a case calls a setting, in the options of a client. */
const optionsOf: Readonly<Record<string, (wanted: Shapeless, given: Shapeless) => Partial<ReturnType<typeof httpClientOptions>>>> = {
  tls: () => ({ tls: { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" } }),
  certificateCheck: () => ({ tls: { acceptAnyCertificate: true } }),
  useProxy: (_wanted, { WebProxy }) => ({ webProxy: { address: WebProxy.Address, bypassOnLocal: WebProxy.BypassOnLocal } }),
  responseHeaderEncoding: (wanted) => ({ responseHeaderEncoding: wanted }),
  multipleHttp2Connections: (wanted) => ({ multipleHttp2Connections: wanted }),
};

function checkSettings(given: Shapeless, { client }: Shapeless): void {
  const set: object[] = Object.entries(client).map(([name, wanted]) => optionsOf[name]?.(wanted, given) ?? { [name]: "not known" });
  // Defaults are left to the client, save that its queue has a bound.
  const expected = Object.assign({ maxQueuedRequests: 10_000 }, ...set) as object;
  const options = Object.entries(httpClientOptions(camelCased(given) as HttpClientConfig)).filter(([, value]) => value !== undefined);
  expect(Object.fromEntries(options)).toEqual(expected);
}

async function checkDefault(title: string, expected: Shapeless): Promise<void> {
  if (expected.connectTimeoutSeconds !== undefined) {
    // Left to the client, whose default it is.
    expect(httpClientOptions({}).connectTimeout).toBeUndefined();
    return;
  }
  if (expected.multipleHttp2Connections !== undefined) {
    // As above; "several connections" of the client's own tests.
    expect(httpClientOptions({}).multipleHttp2Connections).toBeUndefined();
    return;
  }
  const isRedirect = title === "redirects not followed";
  const { send, clients } = await testProxy(configOf({ d: "http://a.test/" }), {
    script: (call) =>
      isRedirect
        ? call.respond(302, [["Location", "http://b.test/"]])
        : call.respond(200, [["Content-Encoding", "gzip"]], "packed"),
  });
  const { response } = await send();
  expect(clients[0]?.calls).toHaveLength(1);
  expect(response.status).toBe(isRedirect ? 302 : 200);
  if (!isRedirect) expect([response.header("Content-Encoding"), response.text]).toEqual(["gzip", "packed"]);
}

describe("a change in letter case only (D10)", () => {
  it("of a destination's address takes effect", async () => {
    const { proxy, send, clients } = await testProxy(configOf({ d1: "http://host.test/a" }));
    await proxy.update(configOf({ d1: "http://host.test/A" }));
    await send({ target: "/x" });
    expect(clients[0]?.last.request.target).toBe("/A/x");
  });
});
