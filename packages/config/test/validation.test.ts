import { describe, expect, it } from "vitest";
import type { ClusterConfig, RouteConfig } from "../src/index.ts";
import { hostPatternFault, addressFault, validateConfig } from "../src/index.ts";
import { loadArea } from "@proxy/conformance";

async function codesOfRoute(route: Partial<RouteConfig>): Promise<readonly string[]> {
  const issues = await validateConfig({ routes: [{ routeId: "r", match: { path: "/" }, ...route }], clusters: [], revisionId: "1" });
  return issues.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

async function codesOfCluster(cluster: Partial<ClusterConfig>): Promise<readonly string[]> {
  const issues = await validateConfig({ routes: [], clusters: [{ clusterId: "c", ...cluster }], revisionId: "1" });
  return issues.filter(({ severity }) => severity === "error").map(({ code }) => code);
}

describe("host patterns are validated at load (D6)", () => {
  const patterns = loadArea("routing-host").cases.filter(({ given }) => given.kind === "pattern" && given.host !== "");
  it.each(patterns.map(({ given, expect }): [string, boolean] => [given.host, expect.valid]))("%s: %s", (host, valid) => {
    expect(hostPatternFault(host) === undefined).toBe(valid);
  });

  it.each(["http://a", "a/b", "a:0", "a:99999", "a:b", "*a.b", "a.*.b", "*.", ".a", "a..b", "a b", "user@a", "\u0080"])("%s is refused", async (host) => {
    expect(await codesOfRoute({ match: { hosts: [host] } })).toEqual(["host-invalid"]);
  });

  it("a host that stands twice is a warning", async () => {
    const config = { routes: [{ routeId: "r", match: { hosts: ["u\u0308.de", "\u00fc.DE"] } }], clusters: [], revisionId: "1" };
    expect(await validateConfig(config)).toMatchObject([{ code: "host-duplicate", severity: "warning" }]);
  });
});

describe("addresses of destinations are validated at load (D6)", () => {
  it.each(["http://a", "HTTPS://a:8443/base/", "http://[::1]:80/", "http://127.0.0.1:9/%20/", "http://m\u00fcnchen.de/"])("%s is accepted", (address) => {
    expect(addressFault(address)).toBeUndefined();
  });

  it.each([
    "a:80", "localhost", "//a", "ftp://a", "file:///etc/passwd", "http://", "http:///a", "http://a?x", "http://a#x", "http://u:p@a", "http://a:0", "http://a:99999", "http://a b", "http://a\\b", "http://a/\n",
  ])("%j is refused", async (address) => {
    expect(await codesOfCluster({ destinations: { d: { address } } })).toEqual(["destination-address-invalid"]);
  });

  it("the health address and the Host header are validated too", async () => {
    expect(await codesOfCluster({ destinations: { d: { address: "http://a", health: "a", host: "a/b" } } })).toEqual([
      "destination-health-invalid",
      "destination-host-invalid",
    ]);
  });

  it("ids of destinations that differ only in case are duplicates", async () => {
    const destination = { address: "http://a" };
    expect(await codesOfCluster({ destinations: { d: destination, D: destination } })).toEqual(["destination-duplicate"]);
  });
});

describe("empty values of rules are validated at load (D6)", () => {
  it("in headers and query parameters", async () => {
    const match = { path: "/", headers: [{ name: "h", values: ["a", ""] }], queryParameters: [{ name: "q", values: [""] }] };
    expect(await codesOfRoute({ match })).toEqual(["header-value-empty", "query-value-empty"]);
  });
});

describe("actions", () => {
  it.each<[string, Partial<RouteConfig>, readonly string[]]>([
    ["a response", { respond: {} }, []],
    ["a redirect", { redirect: { location: "/x/{id}" } }, []],
    ["a cluster and a response", { clusterId: "c", respond: {} }, ["action-conflict"]],
    ["all three", { clusterId: "c", respond: {}, redirect: { location: "/" } }, ["action-conflict"]],
    ["an informational status", { respond: { statusCode: 101 } }, ["respond-status"]],
    ["two bodies", { respond: { body: "x", bodyFile: "y" } }, ["respond-body-conflict"]],
    ["a body with 204", { respond: { statusCode: 204, body: "x" } }, ["respond-body-not-allowed"]],
    ["a header that would split the response", { respond: { headers: { a: "b\r\nc: d" } } }, ["respond-header"]],
    ["a header that frames the message", { respond: { headers: { "Content-Length": "1" } } }, ["respond-header"]],
    ["a header without a name", { respond: { headers: { "a b": "c" } } }, ["respond-header"]],
    ["a redirect with 200", { redirect: { statusCode: 200, location: "/" } }, ["redirect-status"]],
    ["a redirect to nowhere", { redirect: { location: "" } }, ["redirect-location-missing"]],
    ["a redirect that would split the response", { redirect: { location: "/\r\nSet-Cookie: a" } }, ["redirect-location-invalid"]],
  ])("%s", async (_, route, codes) => {
    expect(await codesOfRoute(route)).toEqual(codes);
  });
});

describe("the connections of a cluster", () => {
  it.each<[NonNullable<ClusterConfig["httpClient"]>, readonly string[]]>([
    [{ maxQueuedRequests: 0, prewarm: 0, queueTimeout: 1, idleTimeout: 1, connectionLifetime: 1 }, []],
    [{ maxQueuedRequests: -1 }, ["max-queued-requests"]],
    [{ maxQueuedRequests: 1.5 }, ["max-queued-requests"]],
    [{ queueTimeout: 0 }, ["queue-timeout"]],
    [{ idleTimeout: 0 }, ["idle-timeout"]],
    [{ connectionLifetime: -1 }, ["connection-lifetime"]],
    [{ idleTimeout: 31 * 86_400_000 }, ["duration-too-long"]],
    [{ prewarm: -1 }, ["prewarm"]],
    [{ prewarm: 1001 }, ["prewarm"]],
    [{ localAddress: "eth0" }, ["local-address"]],
    [{ localAddress: "[::1]" }, ["local-address"]],
    [{ localAddress: "fe80::1" }, []],
  ])("%j", async (httpClient, codes) => {
    expect(await codesOfCluster({ httpClient })).toEqual(codes);
  });
});

describe("durations", () => {
  it("longer than a timer can wait are refused: they would fire at once", async () => {
    const month = 31 * 86_400_000;
    expect(await codesOfRoute({ timeout: month })).toEqual(["duration-too-long"]);
    expect(await codesOfCluster({ httpRequest: { activityTimeout: month } })).toEqual(["duration-too-long"]);
    expect(await codesOfCluster({ sessionAffinity: { enabled: true, affinityKeyName: "k", cookie: { maxAge: month } } })).toEqual([]);
  });
});

describe("transforms", () => {
  it("have keys, and values that are text", async () => {
    expect(await codesOfRoute({ transforms: [{}, { PathSet: 1 as never }, { PathPrefix: "/x" }] })).toEqual(["transform-empty", "transform-value"]);
  });
});
