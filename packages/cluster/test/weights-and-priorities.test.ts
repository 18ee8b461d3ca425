import { describe, expect, it } from "vitest";
import {
  ClusterStates,
  createLoadBalancingPolicies,
  HealthUpdater,
  type ClusterState,
  type DestinationState,
  type LoadBalancingPolicy,
} from "@proxy/cluster";
import type { ClusterConfig } from "@proxy/config";
import { idsOf, noExchange } from "./support/clusters.ts";
import { FakeClock } from "./support/fake-clock.ts";
import { seeded } from "./support/seeded-random.ts";

const policies = createLoadBalancingPolicies([], seeded(7));

interface Place {
  readonly weight?: number;
  readonly priority?: number;
}

function clustersOf(places: Readonly<Record<string, Place>>, rest: Partial<ClusterConfig> = {}) {
  const clock = new FakeClock();
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policies.get("Random") }) }, [], clock);
  const config = (of: Readonly<Record<string, Place>>): ClusterConfig => ({
    clusterId: "c",
    destinations: Object.fromEntries(Object.entries(of).map(([id, place]) => [id, { address: `http://${id}/`, ...place }])),
    ...rest,
  });
  const load = (of: Readonly<Record<string, Place>>): ClusterState => {
    states.prepare([config(of)]).commit();
    const state = states.get("c");
    if (state === undefined) throw new Error("nothing was loaded");
    return state;
  };
  return { clock, load, cluster: load(places) };
}

function shares(policy: LoadBalancingPolicy, cluster: ClusterState, picks = 100_000): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const id = policy.pick(noExchange, cluster, cluster.destinations.available)?.id ?? "";
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([id, count]) => [id, count / picks]));
}

describe("weights", () => {
  for (const name of ["Random", "RoundRobin", "PowerOfTwoChoices"]) {
    it(`are the shares of ${name}, within 1 % over 100,000 picks`, () => {
      const { cluster } = clustersOf({ a: { weight: 1 }, b: { weight: 2 }, c: { weight: 5 }, d: { weight: 0 } });
      const found = shares(policies.get(name), cluster);
      expect(found["d"]).toBeUndefined();
      for (const [id, share] of Object.entries({ a: 1 / 8, b: 2 / 8, c: 5 / 8 })) expect(Math.abs((found[id] ?? 0) - share)).toBeLessThan(0.01);
    });
  }

  it("are even without any", () => {
    for (const name of ["Random", "RoundRobin", "PowerOfTwoChoices"]) {
      const { cluster } = clustersOf({ a: {}, b: {}, c: {}, d: {} });
      for (const share of Object.values(shares(policies.get(name), cluster))) expect(Math.abs(share - 0.25)).toBeLessThan(0.01);
    }
  });

  it("spread the turns of RoundRobin: no destination waits long for its own", () => {
    const { cluster } = clustersOf({ a: { weight: 1 }, b: { weight: 3 } });
    const policy = policies.get("RoundRobin");
    let waited = 0;
    for (let i = 0; i < 1_000; i++) {
      waited = policy.pick(noExchange, cluster, cluster.destinations.available)?.id === "a" ? 0 : waited + 1;
      expect(waited).toBeLessThan(7);
    }
  });

  it("are how many requests LeastRequests keeps under way at each", () => {
    const { cluster } = clustersOf({ a: { weight: 1 }, b: { weight: 3 }, c: { weight: 0 } });
    for (let i = 0; i < 400; i++) {
      const picked = policies.get("LeastRequests").pick(noExchange, cluster, cluster.destinations.available);
      if (picked !== undefined) picked.inFlight++;
    }
    expect(cluster.destinations.all.map((each) => each.inFlight)).toEqual([100, 300, 0]);
  });

  it("of 0 are passed over by FirstAlphabetical, and by nobody when all are 0", () => {
    const { cluster, load } = clustersOf({ a: { weight: 0 }, b: {} });
    const pick = () => policies.get("FirstAlphabetical").pick(noExchange, cluster, cluster.destinations.available)?.id;
    expect(pick()).toBe("b");
    load({ a: { weight: 0 }, b: { weight: 0 } });
    expect(pick()).toBe("a");
  });

  it("change with a reload, counters kept", () => {
    const { cluster, load } = clustersOf({ a: { weight: 1 }, b: { weight: 1 } });
    load({ a: { weight: 1 }, b: { weight: 9 } });
    expect(shares(policies.get("Random"), cluster)["b"]).toBeCloseTo(0.9, 1);
  });
});

describe("a slow destination", () => {
  for (const name of ["PowerOfTwoChoices", "LeastRequests"]) {
    it(`has a queue that stays bounded by ${name}`, () => {
      const { cluster } = clustersOf({ a: {}, b: {}, c: {}, slow: {} });
      const policy = policies.get(name);
      const ends: (readonly [at: number, destination: DestinationState])[] = [];
      let longest = 0;
      for (let now = 0; now < 20_000; now++) {
        for (let i = ends.length - 1; i >= 0; i--) {
          const [at, destination] = ends[i] as (typeof ends)[number];
          if (at > now) continue;
          destination.inFlight--;
          ends.splice(i, 1);
        }
        const picked = policy.pick(noExchange, cluster, cluster.destinations.available);
        if (picked === undefined) throw new Error("nothing was picked");
        picked.inFlight++;
        if (picked.id === "slow") longest = Math.max(longest, picked.inFlight);
        ends.push([now + (picked.id === "slow" ? 100 : 4), picked]);
      }
      // Without regard to what is under way it would hold 25.
      expect(longest).toBeLessThan(8);
    });
  }
});

describe("slow start", () => {
  it("brings a destination that comes to its full share, step by step", () => {
    const { cluster, clock, load } = clustersOf({ a: {} }, { slowStart: 10_000 });
    clock.set(60_000);
    load({ a: {}, b: {} });
    const seen: number[] = [];
    for (let elapsed = 0; elapsed <= 10_000; elapsed += 2_500) {
      clock.set(60_000 + elapsed);
      seen.push(shares(policies.get("Random"), cluster, 50_000)["b"] ?? 0);
    }
    const drawn = [0.1, 0.25, 0.5, 0.75, 1].map((share) => share / (1 + share));
    seen.forEach((share, index) => expect(Math.abs(share - (drawn[index] ?? 0))).toBeLessThan(0.01));
  });

  it("begins anew when a destination was out of service", () => {
    const { cluster, clock } = clustersOf({ a: {}, b: {} }, { slowStart: 10_000, healthCheck: { active: { enabled: true } } });
    const updater = new HealthUpdater({ clock });
    const [, b] = cluster.destinations.all;
    if (b === undefined) throw new Error("nothing was loaded");
    clock.set(60_000);
    updater.setActive(cluster, [{ destination: b, health: "Unhealthy", reason: "" }]);
    expect(b.availableSince).toBeUndefined();
    clock.set(90_000);
    updater.setActive(cluster, [{ destination: b, health: "Healthy", reason: "" }]);
    expect(shares(policies.get("Random"), cluster, 20_000)["b"]).toBeCloseTo(0.1 / 1.1, 1);
    clock.set(100_000);
    expect(shares(policies.get("Random"), cluster, 20_000)["b"]).toBeCloseTo(0.5, 1);
  });
});

describe("priorities", () => {
  it("send requests to the first that has any available, and back", () => {
    const { cluster, clock } = clustersOf(
      { a: { priority: 1 }, b: { priority: 1 }, spare: { priority: 2 } },
      { healthCheck: { active: { enabled: true } } },
    );
    const updater = new HealthUpdater({ clock });
    const [a, b, spare] = cluster.destinations.all as [DestinationState, DestinationState, DestinationState];
    const set = (destination: DestinationState, health: "Healthy" | "Unhealthy"): string[] => {
      updater.setActive(cluster, [{ destination, health, reason: "" }]);
      return idsOf(cluster.destinations.available);
    };
    expect(idsOf(cluster.destinations.available)).toEqual(["a", "b"]);
    expect(set(a, "Unhealthy")).toEqual(["b"]);
    expect(set(b, "Unhealthy")).toEqual(["spare"]);
    // Panic: all are unhealthy, and the first come first again.
    expect(set(spare, "Unhealthy")).toEqual(["a", "b"]);
    expect(set(b, "Healthy")).toEqual(["b"]);
  });
});
