import { describe, expect, it } from "vitest";
import { decodeGatewayFile } from "../src/schema/index.ts";
import { clusterSettingsEqual, defineConfig, validateConfig, type ClusterConfig } from "../src/index.ts";

async function issuesOf(cluster: Partial<ClusterConfig>): Promise<string[]> {
  const issues = await validateConfig({ routes: [], clusters: [{ clusterId: "c", ...cluster }], revisionId: "1" });
  return issues.map(({ code, path }) => `${code} ${path?.join(".")}`);
}

describe("OutlierDetection and CircuitBreaker", () => {
  it("take durations as text", () => {
    const { clusters } = defineConfig({
      clusters: {
        c: {
          outlierDetection: { enabled: true, interval: "5s", baseEjectionTime: "00:00:01", maxEjectionTime: "1m", latencyFloor: "20ms" },
          circuitBreaker: { maxRequests: 5, pendingTimeout: "250ms", retryAfter: "2s" },
        },
      },
    });
    expect(clusters[0]?.outlierDetection).toEqual({ enabled: true, interval: 5_000, baseEjectionTime: 1_000, maxEjectionTime: 60_000, latencyFloor: 20 });
    expect(clusters[0]?.circuitBreaker).toEqual({ maxRequests: 5, pendingTimeout: 250, retryAfter: 2_000 });
  });

  it("are read from files, whatever the case of the keys", async () => {
    const { config, warnings } = await decodeGatewayFile(
      `{ "ReverseProxy": { "Clusters": { "c": {
        "OutlierDetection": { "Enabled": true, "Consecutive5xx": 3, "maxejectionpercent": "50", "LatencyPercent": 300, "LatencyFloor": "50ms" },
        "CircuitBreaker": { "MaxRequests": 10, "MAXREQUESTSPERDESTINATION": 5, "MaxPendingRequests": 2, "PendingTimeout": "00:00:02" },
        "ConsistentHash": { "On": "routevalue", "Name": "tenant" } } } } }`,
      { source: "proxy.json" },
    );
    expect(warnings).toEqual([]);
    expect(config.reverseProxy.clusters[0]).toMatchObject({
      outlierDetection: { enabled: true, consecutive5xx: 3, maxEjectionPercent: 50, latencyPercent: 300, latencyFloor: 50 },
      circuitBreaker: { maxRequests: 10, maxRequestsPerDestination: 5, maxPendingRequests: 2, pendingTimeout: 2_000 },
      consistentHash: { on: "RouteValue", name: "tenant" },
    });
  });

  it("are warned of where they limit nothing", async () => {
    expect(await issuesOf({ circuitBreaker: { maxPendingRequests: 5 } })).toEqual(["circuit-breaker-nothing CircuitBreaker"]);
    expect(await issuesOf({ circuitBreaker: { maxRequestsPerDestination: 5 } })).toEqual([]);
  });

  it("name both ends of a range", async () => {
    const read = decodeGatewayFile(`{ "ReverseProxy": { "Clusters": { "c": { "OutlierDetection": { "MaxEjectionPercent": 130 } } } } }`, { source: "proxy.json" });
    await expect(read).rejects.toThrow("MaxEjectionPercent must be a whole number from 0 to 100, not '130'");
  });

  it("are refused with numbers that make no sense, all at once", async () => {
    const outlierDetection = {
      enabled: true,
      consecutive5xx: -1,
      maxEjectionPercent: 101,
      successRateMinimumHosts: 1,
      latencyPercent: 100,
      latencyFloor: -1,
      interval: 0,
    };
    expect(await issuesOf({ outlierDetection })).toEqual([
      "outlier-detection OutlierDetection.Consecutive5xx",
      "outlier-detection OutlierDetection.MaxEjectionPercent",
      "outlier-detection OutlierDetection.SuccessRateMinimumHosts",
      "outlier-detection OutlierDetection.LatencyPercent",
      "outlier-detection OutlierDetection.LatencyFloor",
      "outlier-detection OutlierDetection.Interval",
    ]);
    expect(await issuesOf({ outlierDetection: { ...outlierDetection, enabled: false } })).toEqual([]);
    expect(await issuesOf({ circuitBreaker: { maxRequests: 0, maxRequestsPerDestination: 1.5, maxPendingRequests: -1, pendingTimeout: 0 } })).toEqual([
      "circuit-breaker CircuitBreaker.MaxRequests",
      "circuit-breaker CircuitBreaker.MaxRequestsPerDestination",
      "circuit-breaker CircuitBreaker.MaxPendingRequests",
      "circuit-breaker CircuitBreaker.PendingTimeout",
    ]);
  });

  it("need a name to hash by a route value", async () => {
    expect(await issuesOf({ consistentHash: { on: "RouteValue" } })).toEqual(["consistent-hash-name ConsistentHash.Name"]);
    expect(await issuesOf({ consistentHash: { on: "RouteValue", name: "tenant" } })).toEqual([]);
  });

  it("change the settings of a cluster by what they say, not by how it is written", () => {
    const cluster = { clusterId: "c", circuitBreaker: { maxRequests: 1 }, outlierDetection: { enabled: true } };
    expect(clusterSettingsEqual(cluster, { ...cluster, circuitBreaker: { maxRequests: 1, retryAfter: undefined } })).toBe(true);
    expect(clusterSettingsEqual(cluster, { ...cluster, circuitBreaker: { maxRequests: 2 } })).toBe(false);
    expect(clusterSettingsEqual(cluster, { ...cluster, outlierDetection: { enabled: true, interval: 1 } })).toBe(false);
    expect(clusterSettingsEqual(cluster, { ...cluster, outlierDetection: undefined })).toBe(false);
  });
});
