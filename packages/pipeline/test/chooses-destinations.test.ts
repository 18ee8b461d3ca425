import { afterAll, describe, expect, it } from "vitest";
import type { DestinationState, LoadBalancingPolicy } from "@proxy/cluster";
import { ConfigError } from "@proxy/config";
import { insertAfter, insertBefore, type Step } from "@proxy/pipeline";
import { loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { oneCluster, testProxy } from "./support/proxies.ts";

function policyThat(name: string, pick: LoadBalancingPolicy["pick"]): LoadBalancingPolicy {
  return { name, pick };
}

/** A step that notes which destinations are left after balancing. */
function watchAvailable(seen: string[][]): (steps: readonly Step[]) => readonly Step[] {
  return (steps) =>
    insertAfter(steps, "load-balancing", {
      name: "watch",
      run(ctx, next) {
        seen.push(ctx.available.map((each) => each.id));
        return next(ctx);
      },
    });
}

describe("conformance: loadbalancing, the step", () => {
  const cases = loadArea("loadbalancing").cases.filter((each) => each.given.kind === "middleware" && !each.given.question);
  let held = 0;
  afterAll(() => reportArea("loadbalancing (step)", { held, superseded: 0, failed: cases.length - held }));

  for (const { id, title, given, expect: expected } of cases) {
    it(`${id}: ${title}`, async () => {
      const seen: string[][] = [];
      let called = false;
      const custom = policyThat("CustomPolicy", (_exchange, _cluster, available) => {
        called = true;
        return available.find((each) => each.id === given.policyReturns);
      });
      const starting = testProxy(oneCluster(given.destinations, { loadBalancingPolicy: given.policy }), {
        loadBalancingPolicies: [custom],
        steps: watchAvailable(seen),
      });
      if (expected.error === "unknown-policy") {
        const error: unknown = await starting.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ConfigError);
        for (const mentioned of expected.mentions) expect(String(error)).toContain(mentioned);
      } else {
        const { send } = await starting;
        const { response } = await send();
        expect(seen).toEqual([expected.available]);
        if (expected.status !== undefined) expect(response.status).toBe(expected.status);
        if (expected.policyCalled === false) expect(called).toBe(false);
      }
      held++;
    });
  }
});

describe("balancing", () => {
  it("asks a user's policy with the cluster's state and the available destinations", async () => {
    let asked: unknown[] = [];
    const { send, proxy, clients } = await testProxy(oneCluster(["a", "b"], { loadBalancingPolicy: "mine" }), {
      loadBalancingPolicies: [
        policyThat("Mine", (exchange, cluster, available) => {
          asked = [exchange.request.path, cluster, available.map((each) => each.id)];
          return available[1];
        }),
      ],
    });
    await send({ target: "/x" });
    expect(asked).toEqual(["/x", proxy.state.cluster("c"), ["a", "b"]]);
    expect(clients[0]?.last.origin.host).toBe("b.test");
  });

  it("draws at random, with a warning, when a step leaves several", async () => {
    // Two for the policy, whose choice is undone, and one for what is left.
    const draws = [0, 1, 2];
    const { send, clients, log } = await testProxy(oneCluster(["a", "b", "c"]), {
      random: () => draws.shift() ?? 0,
      steps(steps) {
        let all: readonly DestinationState[] = [];
        const before: Step = { name: "remember", run: (ctx, next) => ((all = ctx.available), next(ctx)) };
        const after: Step = { name: "restore", run: (ctx, next) => ((ctx.available = all), next(ctx)) };
        return insertAfter(insertBefore(steps, "load-balancing", before), "load-balancing", after);
      },
    });
    await send();
    expect(clients[0]?.last.origin.host).toBe("c.test");
    expect(log.named("multiple-destinations-available")).toMatchObject([
      { level: "warning", fields: { route: "all", cluster: "c", count: 3 } },
    ]);
  });

  it("tells the outcome NoAvailableDestinations with 503 when none is left", async () => {
    let outcome: unknown;
    const { send, log } = await testProxy(oneCluster([]), {
      steps: (steps) =>
        insertBefore(steps, "answer", {
          name: "watch",
          async run(ctx, next) {
            await next(ctx);
            outcome = ctx.outcome;
          },
        }),
    });
    const { response } = await send();
    expect(response.status).toBe(503);
    expect(response.header("Content-Length")).toBe("0");
    expect(outcome).toMatchObject({ code: "NoAvailableDestinations", source: "gateway", retry: "safe" });
    expect(log.named("no-available-destinations")).toHaveLength(1);
  });

  it("lets a later step bring destinations back after the policy picked none", async () => {
    const { send } = await testProxy(oneCluster(["a", "b"], { loadBalancingPolicy: "None" }), {
      loadBalancingPolicies: [policyThat("None", () => undefined)],
      steps: (steps) =>
        insertAfter(steps, "load-balancing", {
          name: "panic",
          run(ctx, next) {
            ctx.available = ctx.clusterState?.destinations.all.slice(0, 1) ?? [];
            return next(ctx);
          },
        }),
    });
    expect((await send()).response.status).toBe(200);
  });
});

describe("reassigning the cluster", () => {
  it("uses the other cluster's destinations, policy and client, and the route's own transforms", async () => {
    const { send, clients, proxy } = await testProxy(
      {
        routes: { all: { clusterId: "a", match: { path: "/{**rest}" }, transforms: [{ PathPrefix: "/p" }] } },
        clusters: {
          a: { destinations: { d: { address: "http://a.test" } } },
          b: {
            loadBalancingPolicy: "FirstAlphabetical",
            destinations: { y: { address: "http://y.test" }, x: { address: "http://x.test" } },
          },
        },
      },
      {
        steps: (steps) =>
          insertBefore(steps, "load-balancing", {
            name: "b-test",
            run(ctx, next) {
              const b = ctx.state.cluster("B");
              if (b !== undefined) ctx.reassign(b);
              return next(ctx);
            },
          }),
      },
    );
    await send({ target: "/q" });
    const [a, b] = clients;
    expect(a?.calls).toEqual([]);
    expect(b?.last.origin.host).toBe("x.test");
    expect(b?.last.request.target).toBe("/p/q");
    expect(proxy.state.clusters.map((each) => each.inFlight)).toEqual([0, 0]);
    await proxy.close();
    expect(clients.map((client) => client.closed)).toEqual([1, 1]);
  });

  it("works from a route that has no cluster of its own", async () => {
    const { send } = await testProxy(
      {
        routes: { all: { clusterId: "gone", match: { path: "/{**rest}" } } },
        clusters: { b: { destinations: { x: { address: "http://x.test" } } } },
      },
      {
        steps: (steps) =>
          insertBefore(steps, "initialise", {
            name: "fallback",
            run(ctx, next) {
              const b = ctx.state.cluster("b");
              if (b !== undefined) ctx.reassign(b);
              return next(ctx);
            },
          }),
      },
    );
    expect((await send()).response.status).toBe(200);
  });
});

it("tells of requests without a destination once a second, with how many there were", async () => {
  let time = 0;
  const clock = { now: () => time, date: () => time, after: () => () => {} };
  const { send, log } = await testProxy(oneCluster([]), { clock });
  for (let i = 0; i < 50; i++) expect((await send()).response.status).toBe(503);
  time = 1000;
  await send();
  expect(log.named("no-available-destinations").map(({ fields }) => fields["count"])).toEqual([1, 50]);
});
