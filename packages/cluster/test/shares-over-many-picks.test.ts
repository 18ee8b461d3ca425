/** What 100,000 picks of each policy come to, with random numbers that are the same in each run. */
import { describe, expect, it } from "vitest";
import { ClusterStates, createLoadBalancingPolicies, type ClusterState, type DestinationState } from "@proxy/cluster";
import type { ClusterConfig, DestinationConfig } from "@proxy/config";
import type { Exchange } from "@proxy/http";
import { exchangeOf } from "./support/exchanges.ts";
import { FakeClock } from "./support/fake-clock.ts";
import { seeded } from "./support/seeded-random.ts";

const picks = 100_000;
const policies = createLoadBalancingPolicies([], seeded(11));
// The key of ConsistentHash: as many clients as there are picks. The others do not look.
const clients: readonly Exchange[] = Array.from({ length: picks }, (_, i) => exchangeOf({ remoteAddress: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }).exchange);

function clusterOf(policy: string, weights: Readonly<Record<string, number>>, rest: Partial<ClusterConfig> = {}) {
  const clock = new FakeClock();
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policies.get(policy) }) }, [], clock);
  const load = (of: Readonly<Record<string, number>>): ClusterState => {
    const destinations: Record<string, DestinationConfig> = {};
    for (const [id, weight] of Object.entries(of)) destinations[id] = { address: `http://${id}/`, weight };
    states.prepare([{ clusterId: "c", destinations, ...rest }]).commit();
    return states.get("c") as ClusterState;
  };
  return { clock, load, cluster: load(weights) };
}

/**
 * The share of each destination of so many requests. `underWay` of them at a time: each that begins ends the oldest, so
 * that all destinations are equally fast.
 */
function shares(cluster: ClusterState, underWay: number, count = picks): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(cluster.destinations.all.map(({ id }) => [id, 0]));
  const running: DestinationState[] = [];
  let oldest = 0;
  for (let i = 0; i < count; i++) {
    const picked = cluster.model.loadBalancing.pick(clients[i] as Exchange, cluster, cluster.destinations.available);
    if (picked === undefined) throw new Error("nothing was picked");
    counts[picked.id] = (counts[picked.id] ?? 0) + 1;
    picked.inFlight++;
    cluster.inFlight++;
    running.push(picked);
    if (running.length - oldest > underWay) {
      const ended = running[oldest++] as DestinationState;
      ended.inFlight--;
      cluster.inFlight--;
    }
  }
  for (const ended of running.slice(oldest)) {
    ended.inFlight--;
    cluster.inFlight--;
  }
  return Object.fromEntries(Object.entries(counts).map(([id, each]) => [id, each / count]));
}

function expectShares(found: Readonly<Record<string, number>>, weights: Readonly<Record<string, number>>): void {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  for (const [id, weight] of Object.entries(weights)) expect(Math.abs((found[id] ?? 0) - weight / total), `${id}: ${found[id]}`).toBeLessThan(0.01);
}

// FirstAlphabetical gives everything to the first, whatever its weight above 0.
const sharing = policies.names.filter((name) => name !== "FirstAlphabetical");

describe.each(sharing)("%s", (name) => {
  const sets: readonly { readonly weights: Readonly<Record<string, number>> }[] = [
    { weights: { a: 1, b: 1, c: 1, d: 1 } },
    { weights: { a: 1, b: 2, c: 5, d: 0 } },
    { weights: { a: 10, b: 20, c: 30, d: 40, e: 100 } },
  ];
  it.each(sets)("shares requests by weight within 1 %%: $weights", ({ weights }) => {
    // 160 at a time, so that every weight comes to a whole number of requests under way.
    const { cluster } = clusterOf(name, weights, { consistentHash: { maxLoadPercent: 0 } });
    expectShares(shares(cluster, 160), weights);
  });
});

describe("ConsistentHash with bounded load", () => {
  it("shares by weight within 1 % as well, and lets none pass its bound", () => {
    const weights = { a: 1, b: 2, c: 5 };
    expectShares(shares(clusterOf("ConsistentHash", weights, { consistentHash: { maxLoadPercent: 125 } }).cluster, 1_000), weights);
  });
});

describe("FirstAlphabetical", () => {
  it("gives all to the first", () => {
    expect(shares(clusterOf("FirstAlphabetical", { b: 9, a: 1 }).cluster, 10)).toEqual({ a: 1, b: 0 });
  });
});

describe("slow start", () => {
  for (const name of sharing.filter((each) => each !== "ConsistentHash")) {
    it(`ramps as drawn with ${name}: a tenth at first, then the share of the time that passed, in twenty steps`, () => {
      const period = 20_000;
      const { clock, load } = clusterOf(name, { a: 1, b: 1, c: 1 }, { slowStart: period });
      clock.set(100_000);
      const cluster = load({ a: 1, b: 1, c: 1, fresh: 1 });
      const drawn: number[] = [];
      const found: number[] = [];
      for (let step = 0; step <= 20; step++) {
        clock.set(100_000 + (step * period) / 20);
        const share = Math.max(0.1, step / 20);
        drawn.push(share / (3 + share));
        // So many at a time that a tenth of a share is some requests.
        found.push(shares(cluster, 400, 20_000)["fresh"] ?? 0);
      }
      found.forEach((each, step) => expect(Math.abs(each - (drawn[step] ?? 0)), `step ${step}: ${each}`).toBeLessThan(0.015));
      expect(found.at(-1)).toBeCloseTo(0.25, 1);
    });
  }
});

describe("a slow destination", () => {
  for (const name of ["PowerOfTwoChoices", "LeastRequests"]) {
    it.each([
      { weights: { a: 1, b: 1, c: 1, slow: 1 }, bound: 8 },
      { weights: { a: 1, b: 2, c: 1, slow: 2 }, bound: 18 },
    ])(`has a queue that stays bounded by ${name} with weights: $weights`, ({ weights, bound }) => {
      const { cluster } = clusterOf(name, weights);
      const ends: { readonly at: number; readonly destination: DestinationState }[] = [];
      let longest = 0;
      let served = 0;
      for (let now = 0; now < 20_000; now++) {
        for (let i = ends.length - 1; i >= 0; i--) {
          const { at, destination } = ends[i] as (typeof ends)[number];
          if (at > now) continue;
          destination.inFlight--;
          ends.splice(i, 1);
        }
        const destination = cluster.model.loadBalancing.pick(clients[now] as Exchange, cluster, cluster.destinations.available);
        if (destination === undefined) throw new Error("nothing was picked");
        destination.inFlight++;
        const isSlow = destination.id === "slow";
        if (isSlow) served++;
        if (isSlow) longest = Math.max(longest, destination.inFlight);
        // Twenty-five times as slow: by weight alone 25 and 33 would be under way there.
        ends.push({ at: now + (isSlow ? 100 : 4), destination });
      }
      expect(longest).toBeLessThan(bound);
      expect(served).toBeGreaterThan(0);
    });
  }
});
