import { describe, expect, it } from "vitest";
import { ConfigError, memoryProvider, type ProxyConfigInput } from "@proxy/config";
import { insertBefore } from "@proxy/pipeline";
import { FakeHttpClient } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

const withConnections = (maxConnectionsPerServer: number): ProxyConfigInput =>
  oneCluster(["a"], { httpClient: { maxConnectionsPerServer } });

describe("the client of a cluster", () => {
  it("is kept while its settings do not change", async () => {
    const { proxy, clients } = await testProxy(withConnections(1));
    await proxy.update({ ...withConnections(1), routes: {} });
    expect(clients).toHaveLength(1);
    expect(clients[0]?.closed).toBe(0);
  });

  it("is replaced and closed when they do, and when its cluster goes", async () => {
    const { proxy, clients, send } = await testProxy(withConnections(1));
    await proxy.update(withConnections(2));
    expect(clients.map((client) => client.closed)).toEqual([1, 0]);
    await send();
    expect(clients[1]?.calls).toHaveLength(1);
    await proxy.update({});
    expect(clients.map((client) => client.closed)).toEqual([1, 1]);
  });

  it.each(["maxQueuedRequests", "queueTimeout", "idleTimeout", "connectionLifetime", "prewarm", "localAddress"])("is replaced when %s changes, and only then", async (name) => {
    const having = (value: number): ProxyConfigInput => oneCluster(["a"], { httpClient: { [name]: name === "localAddress" ? `127.0.0.${value}` : value } });
    const { proxy, clients } = await testProxy(having(1));
    await proxy.update(having(1));
    expect(clients).toHaveLength(1);
    await proxy.update(having(2));
    expect(clients.map((client) => client.closed)).toEqual([1, 0]);
  });

  it("is not closed before the requests that began with it are over", async () => {
    const { proxy, clients } = await testProxy(withConnections(1), { script: () => {} });
    const exchange = new FakeExchange();
    const serving = proxy.handle(exchange);
    await proxy.update(withConnections(2));
    const [first] = clients;
    expect(first?.closed).toBe(0);
    first?.last.respond(200, [], "late");
    await serving;
    expect(exchange.response.text).toBe("late");
    expect(first?.closed).toBe(1);
  });

  it("still serves a request that waited in a step while its cluster was taken away", async () => {
    const gate = Promise.withResolvers<void>();
    const { proxy, clients } = await testProxy(oneCluster(["a"]), {
      steps: (steps) =>
        insertBefore(steps, "forward", {
          name: "wait",
          async run(ctx, next) {
            await gate.promise;
            await next(ctx);
          },
        }),
    });
    const exchange = new FakeExchange();
    const serving = proxy.handle(exchange);
    await proxy.update({});
    gate.resolve();
    await serving;
    expect(exchange.response.status).toBe(200);
    expect(clients[0]?.closed).toBe(1);
  });

  it("is closed with the proxy, which waits for what is under way", async () => {
    const { proxy, clients } = await testProxy(oneCluster(["a"]), { script: () => {} });
    const serving = proxy.handle(new FakeExchange());
    let closed = false;
    const closing = proxy.close().then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    clients[0]?.last.respond();
    await serving;
    await closing;
    expect(clients[0]?.closed).toBe(1);
  });
});

describe("a configuration that cannot be applied", () => {
  it("leaves everything as it was and closes the clients made for it", async () => {
    const made: FakeHttpClient[] = [];
    const { proxy, send, log } = await testProxy(oneCluster(["a"]), {
      httpClientFactory: (_settings, cluster) => {
        if (cluster.clusterId === "broken") throw new Error("no such thing");
        const client = new FakeHttpClient((call) => call.respond());
        made.push(client);
        return client;
      },
    });
    const before = [proxy.state.revisionId, proxy.state.route("all"), proxy.state.cluster("c")?.model];
    const { clusters } = oneCluster(["a"], { httpClient: { maxConnectionsPerServer: 1 } });
    await expect(proxy.update({ clusters: { ...clusters, broken: {} } })).rejects.toThrow("no such thing");
    expect([proxy.state.revisionId, proxy.state.route("all"), proxy.state.cluster("c")?.model]).toEqual(before);
    expect(made.map((client) => client.closed)).toEqual([0, 1]);
    expect((await send()).response.status).toBe(200);
    expect(log.named("config-refused")).toHaveLength(1);
    await proxy.update(oneCluster(["b"]));
    expect(proxy.state.cluster("c")?.destinations.all.map((each) => each.id)).toEqual(["b"]);
  });

  it("is refused with everything that is wrong, from the pipeline's checks too", async () => {
    const wrong: ProxyConfigInput = {
      routes: {
        one: { clusterId: "c", match: { path: "/{a" } },
        two: { clusterId: "c", match: { path: "/x" }, transforms: [{ Nope: "1" }, { PathSet: "/x", Extra: "1" }] },
        three: { match: { path: "/y" }, redirect: { location: "/{nothing}" } },
      },
      clusters: { c: { loadBalancingPolicy: "Unheard" } },
    };
    const error: unknown = await testProxy(wrong).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    const codes = (error as ConfigError).issues.filter((issue) => issue.severity === "error").map((issue) => issue.code);
    expect(codes.sort()).toEqual(
      ["load-balancing-policy-unknown", "path-invalid", "redirect-location", "too-many-parameters", "unknown-transform"].sort(),
    );
  });
});

describe("the source of a configuration", () => {
  it("may be a provider, whose changes come into force", async () => {
    const provider = memoryProvider({ routes: [], clusters: [] });
    const applied = Promise.withResolvers<void>();
    const { proxy, send } = await testProxy({}, {
      config: provider,
      listeners: [{ applied: (configs) => void (configs[0]?.routes.length === 1 && applied.resolve()) }],
    });
    expect((await send()).response.status).toBe(404);
    provider.update({ routes: [{ routeId: "r", match: { path: "/" }, respond: { body: "hi" } }], clusters: [] });
    await applied.promise;
    expect((await send()).response.text).toBe("hi");
    await expect(proxy.update({})).rejects.toThrow(TypeError);
    await proxy.close();
  });

  it("may be several providers, merged", async () => {
    const routes = memoryProvider({ routes: [{ routeId: "r", clusterId: "c", match: { path: "/" } }], clusters: [] });
    const clusters = memoryProvider({
      routes: [],
      clusters: [{ clusterId: "c", destinations: { d: { address: "http://d.test" } } }],
    });
    const { proxy, send } = await testProxy({}, { config: [routes, clusters] });
    expect((await send()).response.status).toBe(200);
    await proxy.close();
  });
});

describe("ten thousand reloads", () => {
  it("leave no client open, no request counted and no state behind", async () => {
    const { proxy, clients, send } = await testProxy(withConnections(1), { script: (call) => call.respond() });
    for (let n = 0; n < 10_000; n++) {
      await proxy.update(n % 10 === 0 ? withConnections((n % 7) + 1) : oneCluster([`d${n}`], { httpClient: {} }));
      if (n % 100 === 0) await send();
    }
    expect(clients.filter((client) => client.closed === 0)).toHaveLength(1);
    expect(clients.every((client) => client.closed < 2)).toBe(true);
    expect(proxy.state.clusters).toHaveLength(1);
    expect(proxy.state.cluster("c")?.destinations.all).toHaveLength(1);
    expect(proxy.state.cluster("c")?.inFlight).toBe(0);
    await proxy.close();
    expect(clients.filter((client) => client.closed !== 1)).toEqual([]);
  });
});
