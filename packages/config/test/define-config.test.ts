import { describe, expect, it } from "vitest";
import { ConfigError, defineConfig, defineGatewayConfig, formatDuration, parseDuration, validateConfig } from "../src/index.ts";
import { generateConfigurationReference, generateJsonSchema } from "../src/schema/index.ts";

describe("defineConfig", () => {
  it("takes ids from keys and turns durations into milliseconds", async () => {
    const config = defineConfig({
      routes: { api: { clusterId: "c", timeout: "15s", match: { path: "/api/{**rest}" }, metadata: { timeout: "15s" } } },
      clusters: {
        c: {
          destinations: { d: { address: "http://127.0.0.1:5000/" } },
          healthCheck: { active: { enabled: true, interval: "00:00:05", timeout: 1000 } },
        },
      },
    });
    expect(config.routes).toEqual([{ routeId: "api", clusterId: "c", timeout: 15_000, match: { path: "/api/{**rest}" }, metadata: { timeout: "15s" } }]);
    expect(config.clusters[0]?.healthCheck?.active).toEqual({ enabled: true, interval: 5000, timeout: 1000 });
    expect(await validateConfig(config)).toEqual([]);
  });

  it("reports every text that is no duration", () => {
    const define = () =>
      defineConfig({
        routes: { r: { timeout: "soon", match: { path: "/" } } },
        clusters: { c: { httpRequest: { activityTimeout: "24:00:00" }, httpClient: { connectTimeout: "1s" } } },
      });
    expect(define).toThrow(ConfigError);
    try {
      define();
    } catch (error) {
      expect((error as ConfigError).issues).toMatchObject([
        { code: "conversion", entity: { kind: "route", id: "r" }, path: ["Timeout"], value: "soon" },
        { code: "conversion", entity: { kind: "cluster", id: "c" }, path: ["HttpRequest", "ActivityTimeout"] },
      ]);
    }
  });

  it("keeps ids such as __proto__ as data", async () => {
    const routes = JSON.parse(`{ "__proto__": { "clusterId": "c", "match": { "path": "/" } } }`) as NonNullable<Parameters<typeof defineConfig>[0]["routes"]>;
    expect(defineConfig({ routes }).routes[0]?.routeId).toBe("__proto__");
  });
});

describe("defineGatewayConfig", () => {
  it("fills in defaults", () => {
    const config = defineGatewayConfig({ urls: "http://a:1; http://b:2", server: { shutdownTimeout: "5s", limits: { keepAliveTimeout: "1m" } } });
    expect(config.urls).toEqual(["http://a:1", "http://b:2"]);
    expect(config.server).toMatchObject({ shutdownTimeout: 5000, limits: { keepAliveTimeout: 60_000 }, endpoints: {}, trustedProxies: [] });
    expect(config.reverseProxy).toMatchObject({ routes: [], clusters: [] });
    expect(config.logging.level).toBe("Information");
  });
});

describe("durations", () => {
  it.each([
    ["00:00:15", 15_000],
    ["-00:00:00.0010000", -1],
    ["1.02:03:04.5", 93_784_500],
    ["500ms", 500],
    ["1.5s", 1500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
  ])("%s is %d ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  });

  it.each(["", " 1s", "1", "15", "1w", "24:00:00", "00:60:00", "00:00:60", "1:2", "1e3s", "--1s", "00:00:00.12345678"])("'%s' is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("what is generated", () => {
  it("the JSON Schema describes sections in their canonical spelling", () => {
    const schema = generateJsonSchema() as { properties: Record<string, { properties: Record<string, unknown> }> };
    expect(Object.keys(schema.properties)).toEqual(["$schema", "Urls", "Server", "Kestrel", "Logging", "Policies", "ReverseProxy"]);
    expect(schema.properties["ReverseProxy"]?.properties).toMatchObject({
      Clusters: {
        additionalProperties: {
          properties: { HttpRequest: { properties: { ActivityTimeout: { type: "string", default: "00:01:40" }, Version: { enum: ["1.0", "1.1", "2", "3"] } } } },
          additionalProperties: false,
        },
      },
    });
  });

  it("the reference has a row for every key and a table for every section", () => {
    const reference = generateConfigurationReference();
    expect(reference).toContain("## ReverseProxy:Clusters:{id}:HealthCheck:Active");
    expect(reference).toContain("| `Interval` | duration | `00:00:15` |");
    for (const [, target] of reference.matchAll(/\]\(#([^)]+)\)/g)) {
      const headings = [...reference.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading.toLowerCase().replaceAll(/[^a-z0-9 _-]/g, ""));
      expect(headings).toContain(target);
    }
  });
});
