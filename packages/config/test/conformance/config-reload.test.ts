import { describe, expect, it } from "vitest";
import type { ConfigManagerOptions, HttpClientConfig, ProxyConfig } from "../../src/index.ts";
import * as config from "../../src/index.ts";
import { ConfigError, createConfigManager, httpClientEquals, memoryProvider, routeEquals, type RouteConfig } from "../../src/index.ts";
import type { ConformanceCase, Shapeless } from "@proxy/conformance";
import { isAskedOfProxy } from "@proxy/conformance/split-areas";
import { checkArea } from "./area.ts";
import type { Json } from "./model.ts";
import { clusterOf, routeOf } from "./model.ts";

checkArea("config-reload", {
  superseded: {
    // A change in the case of a path takes effect.
    "config-reload.equality-same.c0a2f474": "D10",
  },
  // Those of resolvers and of active health are asked with the clusters.
  elsewhere: (one) => isAskedOfProxy(one, "config-reload") || one.rule.startsWith("resolver") || one.rule === "active-health",
  check: async (one) => {
    switch (one.given.kind) {
      case "load":
        await checkLoad(one);
        break;
      case "update":
        await checkUpdate(one);
        break;
      case "client":
        checkClient(one.given, one.expect);
        break;
      case "equality":
        checkEquality(one.given, one.expect);
        break;
      default:
        throw new Error(`no check for ${one.given.kind}`);
    }
  },
});

const badRoute = { RouteId: "route1", Match: {} };
const badCluster = { ClusterId: "cluster1", HttpClient: { MaxConnectionsPerServer: -1 } };
const plainRoute = (id: string) => ({ RouteId: id, ClusterId: "cluster1", Match: { Path: `/${id}` } });

/** What a case says in words. */
const sourcesInWords: Readonly<Record<string, readonly { readonly routes?: readonly Json[]; readonly clusters?: readonly Json[] }[]>> = {
  "null clusters": [{}],
  "empty lists": [{ routes: [], clusters: [] }],
  "a bad route in one source, a bad cluster in the other": [{ routes: [badRoute] }, { clusters: [badCluster] }],
  "a route without hosts and path": [{ routes: [badRoute] }],
  "one cluster, two throwing filters": [{ clusters: [{ ClusterId: "cluster1" }] }],
  "two routes, two throwing filters": [{ routes: [plainRoute("route1"), plainRoute("route2")] }],
};

function sourcesOf(given: Shapeless): readonly ProxyConfig[] {
  const sources = typeof given.config === "string" ? sourcesInWords[given.config] : (given.sources ?? [given.config]);
  return sources.map(({ routes = [], clusters = [] }: Shapeless, index: number) => ({
    routes: routes.map((route: Json | string) => routeOf(typeof route === "string" ? shortRoute(route) : route)),
    clusters: (Array.isArray(clusters) ? clusters : shortClusters(clusters)).map(clusterOf),
    revisionId: String(index),
  }));
}

function shortRoute(text: string): Json {
  const [id = "", cluster = ""] = text.split("->");
  return { RouteId: id, ClusterId: cluster, Match: { Path: `/${id}` } };
}

function shortClusters(clusters: Readonly<Record<string, readonly string[]>>): readonly Json[] {
  return Object.entries(clusters).map(([id, destinations]) => ({
    ClusterId: id,
    Destinations: Object.fromEntries(destinations.map((name) => [name, { Address: `http://${name}/` }])),
  }));
}

function filtersFor(given: Shapeless): ConfigManagerOptions["filters"] {
  if (given.filter === "sets Hosts to example.com") {
    return [{ name: "host", route: (route) => ({ ...route, match: { ...route.match, hosts: ["example.com"] } }) }];
  }
  if (typeof given.config !== "string" || !given.config.includes("throwing")) return [];
  const fails = (): never => {
    throw new Error("out of order");
  };
  const filter = given.config.includes("cluster") ? { cluster: fails } : { route: fails };
  return [{ name: "first", ...filter }, { name: "second", ...filter }];
}

async function checkLoad({ given, expect: expected, rule }: ConformanceCase): Promise<void> {
  let applied: ProxyConfig | undefined;
  const providers = sourcesOf(given).map((source) => memoryProvider(source));
  if (rule === "change-token") {
    let told = 0;
    providers[0]?.subscribe(() => (told += 1));
    expect(told > 0).toBe(expected.changed);
    providers[0]?.update({ routes: [], clusters: [] });
    expect(told > 0).toBe(expected.activeCallbacks);
    return;
  }
  const manager = createConfigManager({
    providers,
    filters: filtersFor(given),
    apply: (config) => {
      applied = config;
    },
  });
  const failure: unknown = await manager.start().then(() => undefined, (error: unknown) => error);
  await manager.close();
  expect(failure !== undefined).toBe(expected.throws ?? false);
  if (expected.innerErrors !== undefined) {
    expect((failure as ConfigError).issues.filter((issue) => issue.severity === "error").length).toBe(expected.innerErrors);
  }
  const { routes = [], clusters = [] } = applied ?? {};
  if (expected.routes !== undefined) expect(routes.map((route) => route.routeId).toSorted()).toEqual(expected.routes);
  if (expected.hosts !== undefined) expect(routes[0]?.match.hosts).toEqual(expected.hosts);
  for (const [id, cluster] of Object.entries(expected.routeCluster ?? {})) {
    expect(routes.find((route) => route.routeId === id)?.clusterId).toBe(cluster);
  }
  for (const [id, destinations] of Object.entries(expected.clusters ?? {})) {
    expect(Object.keys(clusters.find((cluster) => cluster.clusterId === id)?.destinations ?? {})).toEqual(destinations);
  }
  for (const [id, address] of Object.entries(expected.addresses ?? {})) expect(clusters[0]?.destinations?.[id]?.address).toBe(address);
}

const named = (revisionId: string, routes: readonly string[] = []): ProxyConfig => ({
  routes: routes.map((id) => routeOf(plainRoute(id))),
  clusters: [],
  revisionId,
});

async function checkUpdate(one: ConformanceCase): Promise<void> {
  if (one.rule === "signal") await checkSignal(one.given, one.expect);
  else if (one.rule === "bad-update") await checkBadUpdate(one.expect);
  else await checkListeners(one.given, one.expect);
}

async function checkSignal(given: Shapeless, expected: Shapeless): Promise<void> {
  const provider = memoryProvider(named("0", given.before.routes));
  for (const [index, { routes }] of given.after.entries()) {
    let signals = 0;
    const unsubscribe = provider.subscribe(() => (signals += 1));
    provider.update(named(String(index), routes));
    unsubscribe();
    expect(signals).toBe(expected.signals[index]);
    expect((await provider.load()).routes.map((route) => route.routeId)).toEqual(expected.routesAfterEach[index]);
  }
}

async function checkBadUpdate(expected: Shapeless): Promise<void> {
  const provider = memoryProvider(named("1", ["r1"]));
  const failures: string[] = [];
  const manager = createConfigManager({
    providers: [provider],
    listeners: [{ applyingFailed: () => failures.push("applying failed") }],
    apply: () => undefined,
  });
  await manager.start();
  provider.update({ routes: [{ routeId: "r1" } as never], clusters: [] });
  expect(await manager.reload()).toBe(expected.applied);
  expect(manager.current?.routes.map((route) => route.routeId)).toEqual(["r1"]);
  expect(failures).toEqual([expected.listener]);
  await manager.close();
}

async function checkListeners({ step }: Shapeless, expected: Shapeless): Promise<void> {
  const told = { loaded: [] as string[], applied: [] as string[], failedLoads: 0, failedApplies: [] as string[] };
  const names = (configs: readonly ProxyConfig[]): string[] => configs.map((config) => config.revisionId);
  const a = memoryProvider(named("A1"));
  const b = memoryProvider(named("B1"));
  let broken = false;
  const failing = { ...b, load: () => (broken ? Promise.reject(new Error("gone")) : b.load()) };
  const manager = createConfigManager({
    providers: [a, failing],
    listeners: [
      {
        loaded: (configs) => (told.loaded = names(configs)),
        applied: (configs) => (told.applied = names(configs)),
        loadingFailed: () => (told.failedLoads += 1),
        applyingFailed: (configs) => (told.failedApplies = names(configs)),
      },
    ],
    apply: () => undefined,
  });
  await manager.start();
  if (step !== "initial load of A1 and B1") {
    a.update(named("A2"));
    await manager.reload();
  }
  if (step === "B fails while becoming B2") {
    told.loaded = [];
    told.applied = [];
    broken = true;
    await manager.reload();
  }
  await manager.close();
  expect(told).toEqual(expected);
}

function checkClient(given: Shapeless, expected: Shapeless): void {
  const client = (settings: Json | null): HttpClientConfig => clusterOf({ ClusterId: "c", HttpClient: settings }).httpClient ?? {};
  // A factory keeps its client when there is one and its settings are equal; metadata is no setting.
  const hasOld = given.old !== null || given.oldClient === "exists";
  expect(hasOld && httpClientEquals(client(given.old), client(given.new))).toBe(expected.reused);
}

function checkEquality({ type, a, b }: Shapeless, expected: Shapeless): void {
  expect(equalities[type as keyof typeof equalities](a, b)).toBe(expected.equal);
}

const asRoute = (given: Json) => routeOf({ Match: {}, ...given });
const asMatch = (given: Json): RouteConfig => {
  const route = asRoute({ RouteId: "r", Match: given });
  // An empty list in a file is no list; here it is meant.
  return Array.isArray(given["Hosts"]) && given["Hosts"].length === 0 ? { ...route, match: { ...route.match, hosts: [] } } : route;
};
const asCluster = (given: Json) => clusterOf({ ClusterId: "c", ...given });

const equalities = {
  route: (a: Json, b: Json) => config.routeEquals(asRoute(a), asRoute(b)),
  match: (a: Json, b: Json) => routeEquals(asMatch(a), asMatch(b)),
  header: (a: Json, b: Json) => routeEquals(asMatch({ Headers: [a] }), asMatch({ Headers: [b] })),
  cluster: (a: Json, b: Json) => config.clusterEquals(asCluster(a), asCluster(b)),
  affinity: (a: Json, b: Json) => config.clusterEquals(asCluster({ SessionAffinity: a }), asCluster({ SessionAffinity: b })),
  "affinity-cookie": (a: Json, b: Json) =>
    config.clusterEquals(asCluster({ SessionAffinity: { Cookie: a } }), asCluster({ SessionAffinity: { Cookie: b } })),
  "active-health": (a: Json, b: Json) => config.clusterEquals(asCluster({ HealthCheck: { Active: a } }), asCluster({ HealthCheck: { Active: b } })),
  "http-client": (a: Json, b: Json) => config.clusterEquals(asCluster({ HttpClient: a }), asCluster({ HttpClient: b })),
};

describe("equality of routes", () => {
  it("ignores the case of hosts and methods, but not of paths (D10)", () => {
    const match = asMatch({ Path: "/a", Hosts: ["h"], Methods: ["GET"] });
    expect(routeEquals(match, asMatch({ Path: "/a", Hosts: ["H"], Methods: ["get"] }))).toBe(true);
    expect(routeEquals(match, asMatch({ Path: "/A", Hosts: ["h"], Methods: ["GET"] }))).toBe(false);
  });

  it("sees a change in the case of a destination's address (D10)", () => {
    const at = (address: string) => asCluster({ Destinations: { d: { Address: address } } });
    expect(config.clusterEquals(at("http://host/a"), at("http://host/A"))).toBe(false);
    expect(config.clusterSettingsEqual(at("http://host/a"), at("http://host/A"))).toBe(true);
  });
});
