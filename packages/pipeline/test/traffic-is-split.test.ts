import type { RandomSource } from "@proxy/cluster";
import type { ClusterConfig, ProxyConfigInput, TrafficSplitConfig } from "@proxy/config";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testProxy, type TestProxy } from "./support/proxies.ts";

/** Mulberry32: an even spread that is the same in every run. */
function seeded(seed: number): RandomSource {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

function config(trafficSplit: TrafficSplitConfig, clusters: Readonly<Record<string, Partial<ClusterConfig>>> = {}): ProxyConfigInput {
  const all = Object.fromEntries(
    ["stable", "canary", "third"].map((id) => [id, { destinations: { [`${id}-1`]: { address: `http://${id}.test/` } }, ...clusters[id] }]),
  );
  return { routes: { r: { trafficSplit, match: { path: "/{**rest}" } } }, clusters: all };
}

async function splitting(trafficSplit: TrafficSplitConfig, options: { clusters?: Parameters<typeof config>[1]; seed?: number; fail?: string } = {}): Promise<TestProxy> {
  return testProxy(config(trafficSplit, options.clusters), {
    random: seeded(options.seed ?? 1),
    script: (call) => (call.origin.host === `${options.fail}.test` ? call.fail() : call.respond(200, [["X-From", call.origin.host.replace(".test", "")]])),
  });
}

async function shares({ send }: TestProxy, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < requests; i++) {
    const from = (await send()).response.header("x-from") ?? "none";
    counts[from] = (counts[from] ?? 0) + 1;
  }
  return counts;
}

describe("requests are shared by weight", () => {
  test("of two clusters, one of which gets a twentieth", async () => {
    const counts = await shares(await splitting({ clusters: { stable: 95, canary: 5 } }), 10_000);
    expect((counts["canary"] ?? 0) / 10_000).toBeCloseTo(0.05, 2);
    expect((counts["stable"] ?? 0) + (counts["canary"] ?? 0)).toBe(10_000);
  });

  test("whatever the weights are, and a weight of 0 gets none", async () => {
    const weights = fc.record({ stable: fc.integer({ min: 0, max: 1000 }), canary: fc.integer({ min: 0, max: 1000 }), third: fc.integer({ min: 1, max: 1000 }) });
    await fc.assert(
      fc.asyncProperty(weights, fc.integer(), async (clusters, seed) => {
        const requests = 1000;
        const counts = await shares(await splitting({ clusters }, { seed }), requests);
        const total = clusters.stable + clusters.canary + clusters.third;
        for (const [id, weight] of Object.entries(clusters)) {
          const share = weight / total;
          // Six standard deviations: one in 10^8 of honest draws lies outside.
          const margin = 6 * Math.sqrt((share * (1 - share)) / requests) + 1e-9;
          expect(Math.abs((counts[id] ?? 0) / requests - share)).toBeLessThanOrEqual(margin);
          if (weight === 0) expect(counts[id]).toBeUndefined();
        }
      }),
      { numRuns: 12, seed: 20_261_122 },
    );
  });

  test("a cluster that is off, or is not there, leaves its share to the others; without any left it is 503", async () => {
    expect(await shares(await splitting({ clusters: { stable: 1, canary: 9, nowhere: 9 } }, { clusters: { canary: { enabled: false } } }), 20)).toEqual({ stable: 20 });
    const { send, log } = await splitting({ clusters: { canary: 1 } }, { clusters: { canary: { enabled: false } } });
    expect([(await send()).response.status, log.named("no-cluster-found").length]).toEqual([503, 1]);
  });

  test("a reload changes the shares, and what a cluster is", async () => {
    const proxy = await splitting({ clusters: { stable: 1, canary: 0 } });
    expect(await shares(proxy, 10)).toEqual({ stable: 10 });
    await proxy.proxy.update(config({ clusters: { stable: 0, canary: 1 } }));
    expect(await shares(proxy, 10)).toEqual({ canary: 10 });
    await proxy.proxy.update(config({ clusters: { stable: 1, canary: 1 } }, { canary: { enabled: false } }));
    expect(await shares(proxy, 10)).toEqual({ stable: 10 });
    await proxy.proxy.update(config({ clusters: { stable: 0, canary: 1 } }));
    expect(await shares(proxy, 10)).toEqual({ canary: 10 });
  });
});

describe("a client stays at its cluster", () => {
  test("by a cookie that it is handed once", async () => {
    const { send } = await splitting({ clusters: { stable: 1, canary: 1 }, sticky: { name: "variant", cookie: { maxAge: 3_600_000, sameSite: "Lax" } } });
    for (let i = 0; i < 20; i++) {
      const first = await send();
      const line = first.response.header("set-cookie") ?? "";
      const from = first.response.header("x-from");
      expect(line).toBe(`variant=${from}; max-age=3600; path=/; samesite=lax; httponly`);
      for (let j = 0; j < 3; j++) {
        const next = await send({ headers: [["Cookie", `a=b; ${line.split(";")[0]}`]] });
        expect([next.response.header("x-from"), next.response.header("set-cookie")]).toEqual([from, undefined]);
      }
    }
  });

  test("unless its cookie names none that takes part any more: then it is given another", async () => {
    const { send } = await splitting({ clusters: { stable: 1, canary: 0 }, sticky: { name: "variant" } });
    for (const value of ["canary", "third", "%00", "", "stable2"]) {
      const { response } = await send({ headers: [["Cookie", `variant=${value}`]] });
      expect([response.header("x-from"), response.header("set-cookie")]).toEqual(["stable", "variant=stable; path=/; httponly"]);
    }
  });

  test("and is not bound by an answer that came from no destination", async () => {
    const { send } = await splitting({ clusters: { stable: 1 }, sticky: { name: "variant" } }, { fail: "stable" });
    const { response } = await send();
    expect([response.status, response.header("set-cookie")]).toEqual([502, undefined]);
  });

  test("by a header of its own: the same value goes to the same cluster, in every process, by weight", async () => {
    const split: TrafficSplitConfig = { clusters: { stable: 3, canary: 1 }, sticky: { on: "Header", name: "X-User" } };
    const first = await splitting(split, { seed: 1 });
    const second = await splitting(split, { seed: 2 });
    let canary = 0;
    for (let i = 0; i < 2000; i++) {
      const request = { headers: [["X-User", `user-${i}`]] as const };
      const from = (await first.send(request)).response.header("x-from");
      if (i % 20 === 0) expect((await second.send(request)).response.header("x-from")).toBe(from);
      if (from === "canary") canary++;
    }
    expect(canary / 2000).toBeGreaterThan(0.2);
    expect(canary / 2000).toBeLessThan(0.3);
    expect((await first.send({ headers: [["X-User", "user-1"]] })).response.header("set-cookie")).toBeUndefined();
  });

  test("a growing last share takes nobody away from it", async () => {
    const at = (canary: number): TrafficSplitConfig => ({ clusters: { stable: 100 - canary, canary }, sticky: { on: "Header", name: "X-User" } });
    const small = await splitting(at(5));
    const large = await splitting(at(20));
    for (let i = 0; i < 500; i++) {
      const request = { headers: [["X-User", `u${i}`]] as const };
      if ((await small.send(request)).response.header("x-from") === "canary") expect((await large.send(request)).response.header("x-from")).toBe("canary");
    }
  });
});

test("a header goes before all: it names the cluster, also one of weight 0, and binds nobody", async () => {
  const { send } = await splitting({ clusters: { stable: 1, canary: 0 }, sticky: { name: "variant" }, overrideHeader: "X-Variant" });
  const forced = await send({ headers: [["X-Variant", "Canary"], ["Cookie", "variant=stable"]] });
  expect([forced.response.header("x-from"), forced.response.header("set-cookie")]).toEqual(["canary", undefined]);
  // One that takes no part is nothing to go by.
  expect((await send({ headers: [["X-Variant", "third"]] })).response.header("x-from")).toBe("stable");
});

test("affinity and retries are those of the cluster that was drawn", async () => {
  const destinations = { a: { address: "http://a.test/" }, b: { address: "http://b.test/" } };
  const { send } = await testProxy(
    config({ clusters: { stable: 1 }, sticky: { name: "variant" } }, { stable: { destinations, retry: {}, loadBalancingPolicy: "FirstAlphabetical", sessionAffinity: { enabled: true, affinityKeyName: "key" } } }),
    { script: (call) => (call.origin.host === "a.test" ? call.fail() : call.respond()) },
  );
  const { response } = await send();
  expect([response.status, response.head?.headers.getAll("set-cookie").map((line) => line.split("=")[0])]).toEqual([200, ["key", "variant"]]);
});
