import { afterAll, describe, expect, it } from "vitest";
import type { PassiveHealthPolicy } from "@proxy/cluster";
import { loadArea, type ConformanceCase, type Shapeless } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import type { HealthCheckConfig } from "@proxy/config";
import { insertAfter } from "@proxy/pipeline";
import type { FakeCall } from "./support/fake-client.ts";
import { FakeExchange } from "./support/fake-exchange.ts";
import { oneCluster, testProxy } from "./support/proxies.ts";

// The shape differs by case.
const kinds: ReadonlySet<string> = new Set(["middleware", "scenario"]);
const cases = loadArea("health-passive").cases.filter((each) => kinds.has(each.given.kind));

describe("conformance: health-passive, the step", () => {
  let held = 0;
  afterAll(() => reportArea("health-passive (step)", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, async () => {
      await check(each);
      held++;
    });
  }
});

async function check({ given, expect: expected, title }: ConformanceCase): Promise<void> {
  if (given.kind === "middleware") return checkStep(given, expected);
  return title.includes("abandoned") ? checkAbandoned(given, expected) : checkFailing(given, expected);
}

async function checkStep(given: Shapeless, expected: Shapeless): Promise<void> {
  const told: { policy: string; destination: string; error: string | undefined }[] = [];
  const noting = (name: string): PassiveHealthPolicy => ({
    name,
    requestEnded: (_cluster, destination, { error }) => void told.push({ policy: name, destination: destination.id, error }),
  });
  let nextCalled = false;
  const ids = given.destination === null ? [] : ["d0", "d1"];
  const passive = { enabled: given.enabled, policy: given.policy };
  const { send } = await testProxy(oneCluster(ids, { healthCheck: { passive } }), {
    passiveHealthPolicies: [noting("policy0"), noting("policy1")],
    random: () => given.destination,
    script: (call) => (given.error === undefined ? call.respond() : call.fail()),
    steps: (steps) =>
      insertAfter(steps, "passive-health", { name: "watch", run: (ctx, next) => ((nextCalled = true), next(ctx)) }),
  });
  await send();
  expect(nextCalled).toBe(expected.nextCalled);
  const one = { policy: expected.policyCalled, destination: `d${expected.destination}`, error: given.error };
  expect(told).toEqual(expected.policyCalled === null ? [] : [one]);
}

async function checkFailing(given: Shapeless, expected: Shapeless): Promise<void> {
  const { availableDestinationsPolicy } = given;
  const healthCheck: HealthCheckConfig = { passive: { enabled: true }, availableDestinationsPolicy };
  const { send, proxy, log } = await testProxy(oneCluster(["d"], { healthCheck }), { script: (call) => call.fail() });
  for (let i = 0; i < given.requests; i++) expect((await send()).response.status).toBe(expected.statuses);
  expect(proxy.state.cluster("c")?.destinations.available).toHaveLength(expected.thenAvailable);
  expect((await send()).response.status).toBe(expected.laterStatus);
  expect(log.named("destination-health-changed").at(-1)).toMatchObject({
    level: "warning",
    fields: { destination: "d", kind: "passive", to: "Unhealthy", reason: "10 of 10 requests failed in the last 60 s" },
  });
  await proxy.close();
}

async function checkAbandoned(_given: Shapeless, expected: Shapeless): Promise<void> {
  const healthCheck: HealthCheckConfig = { passive: { enabled: true }, availableDestinationsPolicy: "HealthyAndUnknown" };
  const { proxy, clients, send } = await testProxy(oneCluster(["d"], { healthCheck }), { script: () => {} });
  for (let i = 0; i < 42; i++) {
    const exchange = new FakeExchange();
    const pending = proxy.handle(exchange);
    exchange.leave();
    await pending;
  }
  const [client] = clients;
  if (client !== undefined) client.script = (call: FakeCall) => call.respond(expected.laterStatus);
  expect((await send()).response.status).toBe(expected.laterStatus);
  expect(proxy.state.cluster("c")?.destinations.all[0]?.passiveHealth).toBe("Healthy");
  await proxy.close();
}

describe("active checks", () => {
  it("probe by the cluster's client, at once, and take what fails out of service", async () => {
    const probes: string[] = [];
    const { proxy, clients } = await testProxy(
      oneCluster(["a", "b"], { healthCheck: { active: { enabled: true, path: "/health", query: "?x=1" } } }),
      {
        script(call) {
          probes.push(`${call.request.method} ${call.request.headers.get("host")}${call.request.target}`);
          call.respond(call.origin.host === "a.test" ? 500 : 200, [], "fine");
        },
        healthChecks: "external",
      },
    );
    expect(proxy.health.nextDue).toBeDefined();
    await proxy.health.runDue();
    expect(probes.sort()).toEqual(["GET a.test/health?x=1", "GET b.test/health?x=1"]);
    expect(clients).toHaveLength(1);
    await proxy.health.checkHealth(proxy.state.clusters);
    expect(proxy.state.cluster("c")?.destinations.available.map((each) => each.id)).toEqual(["b"]);
    const [a] = proxy.state.cluster("c")?.destinations.all ?? [];
    expect(a?.healthLog.probes.map((each) => each.status)).toEqual([500, 500]);
    expect(a?.healthLog.transitions).toMatchObject([{ to: "Unhealthy", reason: "2 probes in a row failed, the last with: status 500" }]);
    await proxy.close();
  });

  it("probe by themselves from the start, and no more once the proxy is closed", async () => {
    const probed = Promise.withResolvers<void>();
    const { proxy } = await testProxy(oneCluster(["a"], { healthCheck: { active: { enabled: true } } }), {
      script(call) {
        call.respond();
        probed.resolve();
      },
    });
    await probed.promise;
    await proxy.close();
    expect(proxy.health.nextDue).toBeUndefined();
  });

  it("fail where a destination upgrades, breaks off or has no end", async () => {
    const answers: ((call: FakeCall) => void)[] = [
      (call) => call.fail(),
      (call) => (call.begin(), call.breakOff()),
    ];
    for (const script of answers) {
      const { proxy } = await testProxy(oneCluster(["a"], { healthCheck: { active: { enabled: true } } }), { script, healthChecks: "external" });
      await proxy.health.runDue();
      const [a] = proxy.state.cluster("c")?.destinations.all ?? [];
      expect(a?.healthLog.probes).toMatchObject([{ status: undefined }]);
      await proxy.close();
    }
  });
});
