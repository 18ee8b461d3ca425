import { describe, expect, it } from "vitest";
import type { ClusterConfig, ConfigIssue, ProxyConfigInput, RouteConfig } from "@proxy/config";
import { createProxyValidator, insertBefore, type ReverseProxyOptions, type Step } from "@proxy/pipeline";
import { testProxy } from "./support/proxies.ts";

function config(route: Partial<RouteConfig>, cluster: Partial<ClusterConfig> = {}): ProxyConfigInput {
  return {
    routes: { r: { clusterId: "c", match: { path: "/{**rest}" }, ...route } },
    clusters: { c: { destinations: { d: { address: "http://d.test" } }, ...cluster } },
  };
}

async function warningsOf(input: ProxyConfigInput, options: Partial<ReverseProxyOptions> = {}): Promise<string[]> {
  const { log } = await testProxy(input, options);
  return log.named("config-warning").map((event) => (event.fields["issue"] as ConfigIssue).path.join("."));
}

describe("settings that nothing serves", () => {
  it("are warned about", async () => {
    expect(
      await warningsOf(
        config(
          { corsPolicy: "Disable" },
          {
            sessionAffinity: { enabled: true, affinityKeyName: "k" },
            healthCheck: { active: { enabled: true }, passive: { enabled: true } },
            httpClient: { webProxy: { address: "http://proxy.test", useDefaultCredentials: true }, responseHeaderEncoding: "utf-8" },
          },
        ),
      ),
    ).toEqual([
      "CorsPolicy",
      "HttpClient.WebProxy.UseDefaultCredentials",
    ]);
  });

  it("are warned about where an application took their steps out", async () => {
    const input = config({ mirror: { clusterId: "c" }, retry: {} }, { retry: {} });
    const without = { steps: (steps: readonly Step[]) => steps.filter(({ name }) => name !== "retry" && name !== "mirror") };
    expect(await warningsOf(input, without)).toEqual(["Mirror", "Retry", "Retry"]);
    expect(await warningsOf(input)).toEqual([]);
  });

  it("are not warned about where they ask for nothing", async () => {
    const quiet = config(
      { authorizationPolicy: "Anonymous", rateLimiterPolicy: "Disable" },
      { sessionAffinity: { affinityKeyName: "k" }, httpRequest: { version: "1.1", versionPolicy: "RequestVersionExact" } },
    );
    expect(await warningsOf(quiet)).toEqual([]);
  });

  it("are refused where leaving them out would open a door", async () => {
    await expect(testProxy(config({ authorizationPolicy: "default" }))).rejects.toThrow("nothing here authorizes");
  });

  it("are refused where every request would fail", async () => {
    for (const versionPolicy of ["RequestVersionExact", "RequestVersionOrHigher"] as const) {
      await expect(testProxy(config({}, { httpRequest: { version: "3", versionPolicy } }))).rejects.toThrow("asks for HTTP/3");
    }
    expect(await warningsOf(config({}, { httpRequest: { version: "3" } }))).toEqual([]);
  });

  it("are accepted where the application's own steps serve them", async () => {
    const options: Partial<ReverseProxyOptions> = {
      policies: { authorization: ["staff"], cors: [] },
      steps: (steps) =>
        insertBefore(steps, "answer", {
          name: "authorize",
          run(ctx, next) {
            if (ctx.route.config.authorizationPolicy === undefined) return next(ctx);
            ctx.exchange.response.send({ status: 401, headers: ctx.exchange.request.headers.copy() });
          },
        }),
    };
    expect(await warningsOf(config({ authorizationPolicy: "Default", corsPolicy: "Default" }), options)).toEqual([]);
    const { send } = await testProxy(config({ authorizationPolicy: "staff" }), options);
    expect((await send()).response.status).toBe(401);
  });

  it("are limits and outlier detection where their steps were taken out", async () => {
    const cluster = { circuitBreaker: { maxRequests: 1 }, outlierDetection: { enabled: true } };
    const without: Partial<ReverseProxyOptions> = { steps: (steps) => steps.filter(({ name }) => name !== "circuit-breaker" && name !== "passive-health") };
    expect(await warningsOf(config({}, cluster))).toEqual([]);
    expect(await warningsOf(config({}, cluster), without)).toHaveLength(2);
    expect(await warningsOf(config({}, { outlierDetection: { enabled: false } }), without)).toEqual([]);
  });

  it("are found by tools that run no proxy", () => {
    const found = createProxyValidator().validateRoute?.({ routeId: "r", match: { path: "/" }, authorizationPolicy: "Default" });
    expect([...(found as Iterable<ConfigIssue>)].map((issue) => issue.code)).toEqual(["authorization-not-served"]);
  });
});

describe("routes that can tie (D7)", () => {
  it("are warned about, and the first that is declared wins", async () => {
    const { send, log } = await testProxy({
      routes: {
        b: { match: { path: "/x/{id}" }, respond: { body: "first" } },
        a: { match: { path: "/x/{name}" }, respond: { body: "second" } },
      },
    });
    expect((await send({ target: "/x/1" })).response.text).toBe("first");
    expect(log.named("config-warning")).toMatchObject([{ level: "warning", fields: { issue: { code: "route-tie" } } }]);
  });
});
