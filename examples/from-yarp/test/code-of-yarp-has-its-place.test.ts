import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { defineConfig, memoryProvider, type ProxyConfigInput } from "@proxy/config";
import { createNodeServer, type ExchangeHandler } from "@proxy/http";
import { createReverseProxy, type ReverseProxyOptions } from "@proxy/pipeline";
import { addressesByName, createPoliciesProxy, fromMemory, resolved } from "../configuration.ts";
import { clientFactory, createForwardingHandler } from "../forwarding.ts";
import { host } from "../host.ts";
import { steps } from "../pipeline.ts";
import { anyAnswer, byTenant, firstError, gone, last, notUnhealthy } from "../policies.ts";
import { factory, provider } from "../transforms.ts";

async function destination(name: string, listener?: RequestListener): Promise<string> {
  const server = createServer(listener ?? ((req, res) => res.writeHead(200, { "X-Powered-By": "x" }).end(JSON.stringify({ name, headers: req.headers }))));
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serving(handler: ExchangeHandler): Promise<string> {
  const server = createNodeServer({ handler });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close(0));
  return `http://127.0.0.1:${port}`;
}

async function proxied(config: ReverseProxyOptions["config"], options: Omit<ReverseProxyOptions, "config"> = {}): Promise<string> {
  const proxy = await createReverseProxy({ config, ...options });
  onTestFinished(() => proxy.close());
  return serving(proxy.handle);
}

interface Answer {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

const asked = async (url: string, headers: Record<string, string> = {}): Promise<Answer> => (await (await fetch(url, { headers })).json()) as Answer;

type ClusterInput = NonNullable<NonNullable<ProxyConfigInput["clusters"]>[string]>;

function oneCluster(destinations: Record<string, string>, cluster: ClusterInput = {}): ProxyConfigInput {
  const all = Object.fromEntries(Object.entries(destinations).map(([id, address]) => [id, { address }]));
  return { routes: { all: { clusterId: "all", match: { path: "/{**rest}" } } }, clusters: { all: { ...cluster, destinations: all } } };
}

test("a host reads and watches a file of YARP", async () => {
  const folder = await mkdtemp(join(tmpdir(), "from-yarp-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "appsettings.json");
  const [one, two] = [await destination("one"), await destination("two")];
  const text = (address: string) => JSON.stringify({ ReverseProxy: { Routes: { a: { ClusterId: "c", Match: { Path: "{**all}" } } }, Clusters: { c: { Destinations: { d: { Address: address } } } } } });
  await writeFile(file, text(one));
  const { proxy, server, port } = await host(file, 0, "a secret of at least thirty-two bytes");
  onTestFinished(async () => {
    await server.close(0);
    await proxy.close();
  });
  expect((await asked(`http://127.0.0.1:${port}`)).name).toBe("one");
  await writeFile(file, text(two));
  await expect.poll(async () => (await asked(`http://127.0.0.1:${port}`)).name).toBe("two");
});

describe("code in MapReverseProxy", () => {
  test("is steps", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    const to = await destination("up");
    const down = await proxied(oneCluster({ one: to }, { metadata: { Maintenance: "on" } }), { steps });
    const refused = await fetch(down);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "60"]);
    expect((await asked(await proxied(oneCluster({ one: to }), { steps }))).name).toBe("up");
    expect(said).not.toHaveBeenCalled();
    const secure: ProxyConfigInput = { ...oneCluster({ one: to }), routes: { all: { clusterId: "all", match: { path: "/{**rest}" }, metadata: { Secure: "yes" } } } };
    expect((await fetch(await proxied(secure, { steps }))).status).toBe(503);
    expect(said).toHaveBeenLastCalledWith("all", undefined, "NoAvailableDestinations");
  });
});

describe("transforms", () => {
  test("come from providers and factories", async () => {
    const to = await destination("up");
    const config: ProxyConfigInput = {
      routes: { all: { clusterId: "all", match: { path: "/{**rest}" }, transforms: [{ CustomTransform: "mine" }] } },
      clusters: { all: { metadata: { Tenant: "acme" }, destinations: { one: { address: to } } } },
    };
    const url = await proxied(config, { transforms: [factory], transformProviders: [provider] });
    expect((await asked(url)).headers).toMatchObject({ "x-tenant": "acme", "x-custom": "mine" });
    expect((await fetch(url)).headers.has("x-powered-by")).toBe(false);
  });

  test("say what is wrong with their settings at load", async () => {
    const config: ProxyConfigInput = {
      routes: { all: { clusterId: "all", match: { path: "/" }, transforms: [{ CustomTransform: "" }] } },
      clusters: { all: { metadata: { Tenant: "" }, destinations: { one: { address: "http://127.0.0.1:1" } } } },
    };
    const failed = createReverseProxy({ config, transforms: [factory], transformProviders: [provider] });
    await expect(failed).rejects.toThrow(/CustomTransform needs a value[^]*Tenant of cluster 'all' is empty|Tenant of cluster 'all' is empty[^]*CustomTransform needs a value/);
  });
});

describe("policies", () => {
  test("of balancing", async () => {
    const url = await proxied(oneCluster({ a: await destination("a"), b: await destination("b") }, { loadBalancingPolicy: "Last" }), { loadBalancingPolicies: [last] });
    expect((await asked(url)).name).toBe("b");
  });

  test("of passive health and availability", async () => {
    const failing = await destination("a", (_req, res) => res.writeHead(500).end());
    const cluster: ClusterInput = {
      loadBalancingPolicy: "FirstAlphabetical",
      healthCheck: { passive: { enabled: true, policy: "FirstUnsuccessfulResponse" }, availableDestinationsPolicy: "NotUnhealthy" },
    };
    const url = await proxied(oneCluster({ a: failing, b: await destination("b") }, cluster), { passiveHealthPolicies: [firstError], availableDestinationsPolicies: [notUnhealthy] });
    expect((await fetch(url)).status).toBe(500);
    await expect.poll(async () => (await fetch(url)).status).toBe(200);
    expect((await asked(url)).name).toBe("b");
  });

  test("of active health", async () => {
    const failing = await destination("a", (_req, res) => res.writeHead(500).end());
    const config = oneCluster({ a: failing }, { healthCheck: { active: { enabled: true, policy: "AnyAnswer", path: "/" } } });
    const proxy = await createReverseProxy({ config, activeHealthPolicies: [anyAnswer] });
    onTestFinished(() => proxy.close());
    await expect.poll(() => proxy.state.cluster("all")?.destinations.all[0]?.activeHealth).toBe("Healthy");
  });

  test("of sessions, and of their loss", async () => {
    const cluster: ClusterInput = { sessionAffinity: { enabled: true, policy: "Tenant", failurePolicy: "Gone", affinityKeyName: "X-Destination" } };
    const config = oneCluster({ a: await destination("a"), b: await destination("b") }, cluster);
    const url = await proxied(config, { affinityPolicies: [byTenant], affinityFailurePolicies: [gone] });
    for (const name of ["a", "b"]) expect((await asked(url, { "X-Destination": name })).name).toBe(name);
    expect((await fetch(url)).headers.get("x-destination")).toBeOneOf(["a", "b"]);
    expect((await fetch(url, { headers: { "X-Destination": "c" } })).status).toBe(410);
  });
});

describe("configuration", () => {
  test("from memory is replaced as a whole", async () => {
    const { proxy, switchOver } = await fromMemory(await destination("one"), await destination("two"));
    onTestFinished(() => proxy.close());
    const url = await serving(proxy.handle);
    expect((await asked(url)).name).toBe("one");
    switchOver();
    await expect.poll(async () => (await asked(url)).name).toBe("two");
  });

  test("is filtered", async () => {
    const filter = addressesByName(new Map([["contoso", await destination("contoso")]]));
    expect((await asked(await proxied(oneCluster({ a: "{{contoso}}" }), { filters: [filter] }))).name).toBe("contoso");
    await expect(createReverseProxy({ config: oneCluster({ a: "{{nobody}}" }), filters: [filter] })).rejects.toThrow("{{nobody}}");
  });

  test("names destinations that a resolver finds", async () => {
    const found = await destination("found");
    const provider = memoryProvider(defineConfig(oneCluster({ a: "http://registry.test" })));
    const { name, headers } = await asked(await proxied(resolved(provider, (host) => Promise.resolve(host === "registry.test" ? [found] : []))));
    expect([name, headers["host"]]).toEqual(["found", "registry.test"]);
  });

  test("names policies of code", async () => {
    const config = oneCluster({ a: await destination("a") });
    const limited = { ...config, routes: { all: { ...config.routes?.["all"], match: { path: "/{**rest}" }, rateLimiterPolicy: "once" } } };
    const proxy = await createPoliciesProxy(memoryProvider(defineConfig(limited)), { rateLimiter: { once: { permitLimit: 1, window: "1h" } } });
    onTestFinished(() => proxy.close());
    const url = await serving(proxy.handle);
    expect([(await fetch(url)).status, (await fetch(url)).status]).toEqual([200, 429]);
  });
});

describe("forwarding", () => {
  test("takes clients of a factory", async () => {
    const said = vi.spyOn(console, "log").mockImplementation(() => {});
    onTestFinished(() => said.mockRestore());
    expect((await asked(await proxied(oneCluster({ a: await destination("a") }), { httpClientFactory: clientFactory }))).name).toBe("a");
    expect(said).toHaveBeenCalledWith("a client for", "all");
  });

  test("goes directly, with a transformer", async () => {
    const handler = createForwardingHandler(await destination("direct"));
    const { name, headers } = await asked(await serving((exchange) => void handler(exchange)), { Cookie: "a=1" });
    expect([name, headers["x-forwarded-by"], headers["cookie"]]).toEqual(["direct", "us", undefined]);
  });
});
