import { describe, expect, it } from "vitest";
import { ConfigError, validateConfig } from "@proxy/config";
import { defineConfig } from "@proxy/config";
import { createProxyValidator, type Step } from "@proxy/pipeline";
// @boundaries-ignore the doubles of the pipeline's own tests
import { testProxy } from "../../pipeline/test/support/proxies.ts";
import { edgeSteps } from "../src/edge-policy-kind.ts";
import { createEdgePolicies } from "../src/index.ts";
import { configOf, edgeProxy } from "./proxies.ts";

const spa = { origins: ["https://app.example"] };

async function issuesOf(config: Parameters<typeof defineConfig>[0]): Promise<string[]> {
  const validators = [createProxyValidator({ extensions: [createEdgePolicies()] })];
  const issues = await validateConfig(defineConfig(config), { validators });
  return issues.map(({ code, path, entity }) => `${code} ${entity?.id ?? ""} ${path.join(".")}`);
}

describe("policies by name", () => {
  it("are found ignoring case", async () => {
    const { send } = await edgeProxy(configOf({ cors: { Spa: spa } }, { corsPolicy: "sPA" }));
    const { response } = await send({ headers: [["Origin", "https://app.example"]] });
    expect(response.header("Access-Control-Allow-Origin")).toBe("https://app.example");
  });

  it("that nobody defined are an error that lists the known ones", async () => {
    const failed = edgeProxy(configOf({ cors: { spa, api: spa } }, { corsPolicy: "other" }));
    await expect(failed).rejects.toThrow("CorsPolicy 'other' is not known");
    const error = await failed.catch((given: unknown) => given as ConfigError);
    expect((error as ConfigError).issues[0]?.hint).toBe("known are Default, Disable, spa, api; others stand in Policies:Cors, by name");
  });

  it("may come from code", async () => {
    const { send } = await edgeProxy(configOf({}, { corsPolicy: "spa" }), { policies: { cors: { spa } } });
    const { response } = await send({ headers: [["Origin", "https://app.example"]] });
    expect(response.header("Access-Control-Allow-Origin")).toBe("https://app.example");
  });

  it("from code and configuration do not hide one another", async () => {
    await expect(edgeProxy(configOf({ cors: { SPA: spa } }), { policies: { cors: { spa } } })).rejects.toThrow("comes from code too");
  });

  it("are refused where nothing carries them out", async () => {
    await expect(testProxy(configOf({ cors: { spa } }, { corsPolicy: "spa" }))).rejects.toThrow("nothing here carries out the policies of Cors");
  });

  it("are checked as one with all that is wrong", async () => {
    expect(
      await issuesOf({
        ...configOf(
          {
            cors: { any: { origins: ["*"], credentials: true }, none: {}, path: { origins: ["https://a.example/"] }, nul: { origins: ["null"] }, disable: spa },
            timeout: { t: { timeout: 0 } },
          },
          { corsPolicy: "Default", timeoutPolicy: "unknown" },
        ),
      }),
    ).toEqual([
      "timeout-policy-unknown r TimeoutPolicy",
      "cors-policy-unknown r CorsPolicy",
      "cors-credentials  Policies.Cors.any.Origins.0",
      "cors-origins  Policies.Cors.none.Origins",
      "cors-origins  Policies.Cors.path.Origins.0",
      "cors-origins  Policies.Cors.nul.Origins.0",
      "policy-name  Policies.Cors.disable",
      "timeout-not-positive  Policies.Timeout.t.Timeout",
    ]);
  });

  it("change with a reload, whole or not at all", async () => {
    const { proxy, send } = await edgeProxy(configOf({ cors: { p: spa } }, { corsPolicy: "p" }));
    const allowed = async (origin: string): Promise<string | undefined> =>
      (await send({ headers: [["Origin", origin]] })).response.header("Access-Control-Allow-Origin");
    await proxy.update(configOf({ cors: { p: { origins: ["https://b.example"] } } }, { corsPolicy: "p" }));
    expect(await allowed("https://b.example")).toBe("https://b.example");
    expect(await allowed("https://app.example")).toBe(undefined);
    await expect(proxy.update(configOf({ cors: { p: { origins: ["*"], credentials: true } } }, { corsPolicy: "p" }))).rejects.toThrow("any origin with credentials");
    expect(await allowed("https://b.example")).toBe("https://b.example");
  });

  it("are no part of the way of routes that name none", async () => {
    const { send, clients } = await edgeProxy(configOf({ cors: { spa, default: { origins: ["*"] } } }));
    const { response } = await send({ method: "OPTIONS", headers: [["Origin", "https://app.example"], ["Access-Control-Request-Method", "PUT"]] });
    expect(response.header("Access-Control-Allow-Origin")).toBe(undefined);
    expect(clients[0]?.calls.length).toBe(1);
  });
});

describe("a route without policies", () => {
  const policies = {
    access: { some: { denyAddresses: ["203.0.113.0/24"] } },
    authentication: { jwt: { bearer: { issuer: "https://login.example", audiences: ["api"], secret: "a secret of more than 32 characters" } } },
    authorization: { some: { scopes: ["read"] } },
    compression: { some: {} },
    cors: { some: spa },
    outputCache: { some: { duration: "1h" } },
    rateLimiter: { some: { permitLimit: 10 } },
  } as const;
  const named = {
    accessPolicy: "some", authorizationPolicy: "some", compressionPolicy: "some", corsPolicy: "some", outputCachePolicy: "some", rateLimiterPolicy: "some",
  };

  it("has none of their steps in its chain, whatever other routes have", async () => {
    let steps: readonly Step[] = [];
    const { proxy } = await edgeProxy(
      { ...configOf(policies), routes: { plain: { clusterId: "c", match: { path: "/a" } }, guarded: { clusterId: "c", match: { path: "/b" }, ...named } } },
      {},
      { steps: (given) => (steps = given) },
    );
    const edge = steps.filter(({ name }) => (edgeSteps as readonly string[]).includes(name));
    const chain = (id: string): readonly string[] => {
      const route = proxy.state.routes.find(({ config }) => config.routeId === id);
      return route === undefined ? ["no route"] : edge.filter((step) => step.bind === undefined || step.bind(route) !== undefined).map(({ name }) => name);
    };
    expect(chain("plain")).toEqual([]);
    expect(chain("guarded")).toEqual(expect.arrayContaining(["access", "authentication", "authorization", "cors", "compression", "rate-limiter", "output-cache"]));
  });
});

describe("timeouts by name", () => {
  it("give their time to routes, and the default one to those that say nothing", async () => {
    const policies = { timeout: { short: { timeout: "2s" }, Default: { timeout: "9s" } } };
    const { proxy } = await edgeProxy({
      ...configOf(policies),
      routes: {
        named: { clusterId: "c", match: { path: "/a" }, timeoutPolicy: "SHORT" },
        own: { clusterId: "c", match: { path: "/b" }, timeout: 5000 },
        off: { clusterId: "c", match: { path: "/c" }, timeoutPolicy: "Disable" },
        plain: { clusterId: "c", match: { path: "/d" } },
      },
    });
    const timeouts = (): Record<string, number | undefined> => Object.fromEntries(proxy.state.routes.map(({ config, timeout }) => [config.routeId, timeout]));
    expect(timeouts()).toEqual({ named: 2000, own: 5000, off: undefined, plain: 9000 });
  });

  it("end requests whose answer does not come, also while they wait for a permit", async () => {
    const policies = { timeout: { short: { timeout: 50 } }, rateLimiter: { one: { permitLimit: 1, algorithm: "Concurrency", queueLimit: 1 } as const } };
    const { send } = await edgeProxy(configOf(policies, { timeoutPolicy: "short", rateLimiterPolicy: "one" }), {}, { script: () => undefined });
    const [first, second] = await Promise.all([send(), send()]);
    expect([first.response.status, second.response.status]).toEqual([504, 504]);
  });
});
