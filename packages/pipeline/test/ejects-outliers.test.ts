import { describe, expect, it } from "vitest";
import type { HealthTransition } from "@proxy/cluster";
import type { ClusterConfig } from "@proxy/config";
import { FakeClock } from "./support/fake-clock.ts";
import type { FakeCall } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

async function detecting(cluster: Partial<ClusterConfig>, script: (call: FakeCall) => void, ids = ["a", "b", "c"]) {
  const clock = new FakeClock();
  const transitions: HealthTransition[] = [];
  const tested = await testProxy(oneCluster(ids, { loadBalancingPolicy: "RoundRobin", ...cluster }), {
    clock,
    script,
    healthListeners: [(_cluster, _destination, transition) => transitions.push(transition)],
  });
  const available = (): string[] => tested.proxy.state.cluster("c")?.destinations.available.map((each) => each.id) ?? [];
  return { ...tested, clock, transitions, available };
}

describe("a destination that answers 5xx", () => {
  it("is ejected, its share goes to the others, and it comes back; the log says so", async () => {
    const { send, available, clock, log, transitions, proxy } = await detecting({ outlierDetection: { enabled: true } }, (call) =>
      call.respond(call.origin.host === "a.test" ? 500 : 200),
    );
    for (let i = 0; i < 15; i++) await send();
    expect(available()).toEqual(["b", "c"]);
    for (let i = 0; i < 10; i++) expect((await send()).response.status).toBe(200);
    await clock.advance(30_000);
    expect(available()).toEqual(["a", "b", "c"]);
    const fields = { cluster: "c", destination: "a" };
    expect(log.named("destination-ejected")).toMatchObject([
      { level: "warning", fields: { ...fields, reason: "5 requests in a row failed: 5xx or no answer; ejected for 30 s" } },
    ]);
    expect(log.named("destination-returned")).toMatchObject([{ level: "info", fields }]);
    expect(transitions.map(({ kind, to }) => [kind, to])).toEqual([
      ["outlier", "Unhealthy"],
      ["outlier", "Healthy"],
    ]);
    await proxy.close();
  });

  it("stays when as many as may be are ejected, and the log says that too", async () => {
    const { send, available, log, proxy } = await detecting({ outlierDetection: { enabled: true } }, (call) => call.respond(500));
    for (let i = 0; i < 15; i++) await send();
    expect(available()).toHaveLength(2);
    expect(log.named("ejection-refused").length).toBeGreaterThan(0);
    await proxy.close();
  });
});

describe("a destination without an answer", () => {
  it("is ejected by gateway failures, beside passive health that counts too", async () => {
    const cluster: Partial<ClusterConfig> = {
      outlierDetection: { enabled: true, consecutive5xx: 0, consecutiveGatewayFailure: 3 },
      healthCheck: { passive: { enabled: true } },
    };
    const { send, available, proxy } = await detecting(cluster, (call) => (call.origin.host === "a.test" ? call.fail() : call.respond()));
    for (let i = 0; i < 9; i++) await send();
    expect(available()).toEqual(["b", "c"]);
    const [a] = proxy.state.cluster("c")?.destinations.all ?? [];
    expect([a?.ejected, a?.passiveHealth]).toEqual([true, "Healthy"]);
    await proxy.close();
  });

  it("is not blamed for clients that leave", async () => {
    const { proxy, available } = await detecting({ outlierDetection: { enabled: true } }, () => {});
    for (let i = 0; i < 30; i++) {
      const exchange = new FakeExchange();
      const serving = proxy.handle(exchange);
      exchange.leave();
      await serving;
    }
    expect(available()).toEqual(["a", "b", "c"]);
    await proxy.close();
  });
});

describe("a destination that is slow", () => {
  it("is ejected by the time to its head, not to the end of its body", async () => {
    const outlierDetection = { enabled: true, latencyPercent: 200, latencyRequestVolume: 5 };
    const made = await detecting({ outlierDetection }, (call) => {
      // All take half a second; only one of them does so before the head.
      const isSlow = call.origin.host === "a.test";
      if (isSlow) made.clock.set(made.clock.now() + 500);
      call.begin();
      if (!isSlow) made.clock.set(made.clock.now() + 500);
      call.finish();
    });
    for (let i = 0; i < 30; i++) await made.send();
    expect(made.log.named("destination-ejected").map(({ fields }) => [fields["destination"], fields["reason"]])).toEqual([
      ["a", "it answered after 500 ms, its peers after 0 ms; ejected for 30 s"],
    ]);
    await made.proxy.close();
  });
});

describe("with retries", () => {
  const retry = { on: ["ConnectFailure" as const], statusCodes: [503], maxAttempts: 2 };

  it("each attempt is judged: clients see no error, and the one that fails is ejected nevertheless", async () => {
    for (const fail of [(call: FakeCall) => call.respond(503), (call: FakeCall) => call.fail()]) {
      const { send, available, proxy } = await detecting({ outlierDetection: { enabled: true }, retry, retryBudget: { minPerSecond: 1_000 } }, (call) =>
        call.origin.host === "a.test" ? fail(call) : call.respond(),
      );
      for (let i = 0; i < 20; i++) expect((await send()).response.status).toBe(200);
      expect(available()).toEqual(["b", "c"]);
      await proxy.close();
    }
  });

  it("each attempt takes its own slots, and gives them back before the next", async () => {
    const { send, proxy } = await detecting(
      { circuitBreaker: { maxRequests: 1, maxRequestsPerDestination: 1 }, retry, retryBudget: { minPerSecond: 1_000 } },
      (call) => (call.origin.host === "a.test" ? call.respond(503) : call.respond()),
    );
    for (let i = 0; i < 20; i++) expect((await send()).response.status).toBe(200);
    const cluster = proxy.state.cluster("c");
    expect([cluster?.limiter?.active, cluster?.destinations.all.map(({ admitted }) => admitted)]).toEqual([0, [0, 0, 0]]);
    await proxy.close();
  });
});

describe("ConsistentHash on a route value", () => {
  it("sends a tenant to one destination, whatever else the path holds", async () => {
    const hosts = new Map<string, Set<string>>();
    const { proxy } = await testProxy(
      {
        routes: { all: { clusterId: "c", match: { path: "/tenants/{tenant}/{**rest}" } } },
        clusters: {
          c: {
            loadBalancingPolicy: "ConsistentHash",
            consistentHash: { on: "RouteValue", name: "Tenant" },
            destinations: Object.fromEntries(["a", "b", "c", "d"].map((id) => [id, { address: `http://${id}.test/` }])),
          },
        },
      },
      {
        script(call) {
          const tenant = call.request.target.split("/")[2] ?? "";
          hosts.set(tenant, (hosts.get(tenant) ?? new Set()).add(call.origin.host));
          call.respond();
        },
      },
    );
    for (let tenant = 0; tenant < 20; tenant++) {
      for (const rest of ["x", "y/z", ""]) await proxy.handle(new FakeExchange({ target: `/tenants/t${tenant}/${rest}` }));
    }
    expect([...hosts.values()].map(({ size }) => size)).toEqual(Array.from({ length: 20 }, () => 1));
    expect(new Set([...hosts.values()].flatMap((each) => [...each])).size).toBe(4);
    await proxy.close();
  });
});
