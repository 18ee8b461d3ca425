import { describe, expect, it } from "vitest";
import type { ClusterConfig, ProxyConfig, RouteConfig } from "../src/index.ts";
import { clusterEquals, clusterSettingsEqual, defineConfig, routeEquals, validateConfig } from "../src/index.ts";
import { decodeGatewayFile } from "../src/schema/index.ts";

function configOf(route: Partial<RouteConfig>, cluster: Partial<ClusterConfig> = {}): ProxyConfig {
  const destinations = { d: { address: "http://127.0.0.1:9/" } };
  return {
    routes: [{ routeId: "r", match: { path: "/" }, ...route }],
    clusters: [{ clusterId: "c", destinations, ...cluster }],
    revisionId: "1",
  };
}

async function found(route: Partial<RouteConfig>, cluster: Partial<ClusterConfig> = {}): Promise<readonly string[]> {
  const issues = await validateConfig(configOf(route, cluster));
  return issues.map(({ code, path, severity }) => `${severity} ${code} ${path?.join(".")}`);
}

const untyped = (value: unknown): never => value as never;

describe("retries are validated at load", () => {
  it("nothing is wrong with the section alone, on route and cluster", async () => {
    expect(await found({ clusterId: "c", retry: {} }, { retry: {}, retryBudget: {} })).toEqual([]);
  });

  it("all that is wrong comes at once, with its place", async () => {
    const retry = untyped({ maxAttempts: 0, maxBodySize: -1, perTryTimeout: 0, on: ["Reset", "Boredom"], statusCodes: [200, 503], methods: ["GET", "CONNECT", "A B"] });
    expect(await found({ clusterId: "c" }, { retry, retryBudget: { percent: 101, minPerSecond: 0.5 } })).toEqual([
      "error retry-number Retry.MaxAttempts",
      "error retry-number Retry.MaxBodySize",
      "error retry-number Retry.PerTryTimeout",
      "error retry-condition Retry.On.1",
      "error retry-status Retry.StatusCodes.0",
      "error retry-method Retry.Methods.1",
      "error retry-method Retry.Methods.2",
      "error retry-number RetryBudget.Percent",
      "error retry-number RetryBudget.MinPerSecond",
    ]);
  });

  it("what retries on nothing is a warning", async () => {
    expect(await found({ clusterId: "c", retry: { on: [] } })).toEqual(["warning retry-nothing Retry.On"]);
    expect(await found({ clusterId: "c", retry: { on: [], enabled: false } })).toEqual([]);
    expect(await found({ clusterId: "c", retry: { on: [], statusCodes: [503] } })).toEqual([]);
    expect(await found({ clusterId: "c", retry: { maxAttempts: 1 } })).toEqual(["warning retry-nothing Retry.MaxAttempts"]);
  });

  it("a method in another case is a warning, for methods are told apart by case", async () => {
    expect(await found({ clusterId: "c", retry: { methods: ["get", "POST", "purge"] } })).toEqual(["warning retry-method-case Retry.Methods.0"]);
  });
});

describe("traffic splits are validated at load", () => {
  it("clusters with weights, sticky and an override are fine", async () => {
    expect(await found({ trafficSplit: { clusters: { C: 1 }, sticky: { name: "v", cookie: { maxAge: 90 * 86_400_000 } }, overrideHeader: "X-V" } })).toEqual([]);
  });

  it("all that is wrong comes at once, with its place", async () => {
    expect(await found({ clusterId: "c", trafficSplit: { clusters: { c: -1, C: 1.5 }, sticky: { name: "" }, overrideHeader: "a b" } })).toEqual([
      "error action-conflict TrafficSplit",
      "error traffic-split-weight TrafficSplit.Clusters.c",
      "error traffic-split-clusters TrafficSplit.Clusters.C",
      "error traffic-split-weight TrafficSplit.Clusters.C",
      "error traffic-split-name TrafficSplit.Sticky.Name",
      "error traffic-split-name TrafficSplit.OverrideHeader",
    ]);
    expect(await found({ trafficSplit: { clusters: {} } })).toEqual(["error traffic-split-clusters TrafficSplit.Clusters"]);
    expect(await found({ trafficSplit: untyped({}) })).toEqual(["error traffic-split-clusters TrafficSplit.Clusters"]);
    expect(await found({ trafficSplit: { clusters: { c: 0 } } })).toEqual(["error traffic-split-clusters TrafficSplit.Clusters"]);
    const cookie = { path: "/;", maxAge: 0 };
    expect(await found({ trafficSplit: { clusters: { c: 1 }, sticky: { name: "v", cookie } } })).toEqual([
      "error traffic-split-cookie TrafficSplit.Sticky.Cookie.MaxAge",
      "error traffic-split-cookie TrafficSplit.Sticky.Cookie.Path",
    ]);
  });

  it("a cluster that is not there or off is a warning", async () => {
    expect(await found({ trafficSplit: { clusters: { c: 1, x: 1 } } }, { enabled: false })).toEqual([
      "warning cluster-disabled TrafficSplit.Clusters.c",
      "warning cluster-unknown TrafficSplit.Clusters.x",
    ]);
  });
});

describe("mirrors are validated at load", () => {
  it("all that is wrong comes at once, with its place", async () => {
    expect(await found({ respond: {}, mirror: { clusterId: "", percent: 101, maxBodySize: -1, maxConcurrent: 0, timeout: 0 } })).toEqual([
      "error mirror-cluster-missing Mirror.ClusterId",
      "error mirror-number Mirror.Percent",
      "error mirror-number Mirror.MaxBodySize",
      "error mirror-number Mirror.MaxConcurrent",
      "error mirror-number Mirror.Timeout",
      "error mirror-not-forwarded Mirror",
    ]);
  });

  it("a cluster that is not there or off is a warning", async () => {
    expect(await found({ clusterId: "c", mirror: { clusterId: "x" } })).toEqual(["warning cluster-unknown Mirror.ClusterId"]);
  });
});

describe("what is not enabled", () => {
  it("is named by a route: a warning, unless the route is off as well", async () => {
    expect(await found({ clusterId: "c" }, { enabled: false })).toEqual(["warning cluster-disabled ClusterId"]);
    expect(await found({ clusterId: "c", enabled: false }, { enabled: false })).toEqual([]);
  });

  it("still has its faults reported", async () => {
    const destinations = { d: { address: "nonsense", enabled: false } };
    expect(await found({ enabled: false, match: {} }, { enabled: false, destinations })).toEqual([
      "error host-or-path-required Match",
      "error destination-address-invalid Destinations.d.Address",
    ]);
  });

  it("is all that a cluster has: a warning", async () => {
    const destinations = { d: { address: "http://127.0.0.1:9/", enabled: false } };
    expect(await found({ clusterId: "c" }, { destinations })).toEqual(["warning destinations-disabled Destinations"]);
  });
});

describe("a reload", () => {
  const route: RouteConfig = { routeId: "r", match: { path: "/" } };
  const cluster: ClusterConfig = { clusterId: "c" };

  it.each<Partial<RouteConfig>>([
    { enabled: false },
    { retry: {} },
    { trafficSplit: { clusters: { a: 1 } } },
    { mirror: { clusterId: "a" } },
  ])("rebuilds a route with %j", (change) => {
    expect([routeEquals(route, { ...route, ...change }), routeEquals({ ...route, ...change }, { ...route, ...structuredClone(change) })]).toEqual([false, true]);
  });

  it("sees each change within the sections", () => {
    const split = (more: object): RouteConfig => ({ ...route, trafficSplit: { clusters: { a: 1, b: 2 }, ...more } });
    expect(routeEquals(split({}), split({ clusters: { b: 2, a: 1 } }))).toBe(false);
    expect(routeEquals(split({}), split({ sticky: { name: "a" } }))).toBe(false);
    expect(routeEquals(split({ sticky: { name: "a" } }), split({ sticky: { name: "a", on: "Header" } }))).toBe(false);
    expect(routeEquals(split({}), split({ overrideHeader: "x" }))).toBe(false);
    for (const more of [{ percent: 1 }, { maxBodySize: 1 }, { maxConcurrent: 1 }, { timeout: 1 }]) {
      expect(routeEquals({ ...route, mirror: { clusterId: "a" } }, { ...route, mirror: { clusterId: "a", ...more } })).toBe(false);
    }
    for (const more of [{ enabled: false }, { maxAttempts: 1 }, { on: [] }, { statusCodes: [503] }, { methods: ["POST"] }, { perTryTimeout: 1 }, { maxBodySize: 1 }]) {
      expect(clusterSettingsEqual({ ...cluster, retry: {} }, { ...cluster, retry: more })).toBe(false);
    }
    expect(clusterSettingsEqual(cluster, { ...cluster, retryBudget: { percent: 1 } })).toBe(false);
    expect(clusterSettingsEqual(cluster, { ...cluster, enabled: true })).toBe(true);
    expect(clusterEquals({ ...cluster, destinations: { d: { address: "a" } } }, { ...cluster, destinations: { d: { address: "a", enabled: false } } })).toBe(false);
  });
});

it("a file says the same", async () => {
  const text = JSON.stringify({
    ReverseProxy: {
      Routes: {
        r: {
          Enabled: "false",
          Match: { Path: "/" },
          TrafficSplit: { Clusters: { stable: 95, canary: "5" }, Sticky: { On: "header", Name: "X-User", Cookie: { MaxAge: "1.00:00:00" } }, OverrideHeader: "X-V" },
          Retry: {},
          Mirror: { ClusterId: "shadow", Percent: 10, Timeout: "5s" },
        },
      },
      Clusters: {
        stable: { Retry: { MaxAttempts: 2, On: ["connectfailure"], StatusCodes: [503], Methods: "POST", PerTryTimeout: "2s", MaxBodySize: 10 }, RetryBudget: { Percent: 10, MinPerSecond: 1 } },
        canary: { Enabled: false },
        shadow: { Destinations: { d: { Address: "http://a/", Enabled: false } } },
      },
    },
  });
  const { config } = await decodeGatewayFile(text, { source: "proxy.json" });
  expect(config.reverseProxy.routes[0]).toMatchObject({
    enabled: false,
    trafficSplit: { clusters: { stable: 95, canary: 5 }, sticky: { on: "Header", name: "X-User", cookie: { maxAge: 86_400_000 } }, overrideHeader: "X-V" },
    retry: {},
    mirror: { clusterId: "shadow", percent: 10, timeout: 5000 },
  });
  expect(config.reverseProxy.clusters).toMatchObject([
    { retry: { maxAttempts: 2, on: ["ConnectFailure"], statusCodes: [503], methods: ["POST"], perTryTimeout: 2000, maxBodySize: 10 }, retryBudget: { percent: 10, minPerSecond: 1 } },
    { enabled: false },
    { destinations: { d: { enabled: false } } },
  ]);
  expect(defineConfig({ clusters: { c: { retry: { perTryTimeout: "2s" } } } }).clusters[0]?.retry?.perTryTimeout).toBe(2000);
});
