import { describe, expect, it } from "vitest";
import type { ClusterConfig } from "@proxy/config";
import {
  allDestinations,
  ClusterStates,
  roundRobin,
  type AvailableDestinationsPolicy,
  type ClusterModelBuilder,
} from "@proxy/cluster";

const plain: ClusterModelBuilder = { cluster: (config) => ({ config, loadBalancing: roundRobin }) };

function cluster(clusterId: string, addresses: Readonly<Record<string, string>> = {}): ClusterConfig {
  const destinations = Object.fromEntries(Object.entries(addresses).map(([id, address]) => [id, { address }]));
  return { clusterId, destinations };
}

function load(states: ClusterStates, ...configs: readonly ClusterConfig[]): void {
  states.prepare(configs).commit();
}

describe("clusters over reloads", () => {
  it("keep their state object, health and counters, whatever the case of their id", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("Api", { d1: "http://a/", d2: "http://b/" }));
    const before = states.get("api");
    const [d1] = before?.destinations.all ?? [];
    if (before === undefined || d1 === undefined) throw new Error("nothing was loaded");
    before.roundRobinCounter = 7;
    d1.passiveHealth = "Unhealthy";
    d1.inFlight = 3;

    load(states, cluster("API", { D1: "http://moved/" }));

    expect(states.get("api")).toBe(before);
    expect(before.roundRobinCounter).toBe(7);
    expect(before.destinations.all).toEqual([d1]);
    expect(d1).toMatchObject({ passiveHealth: "Unhealthy", inFlight: 3 });
    expect(d1.model.config.address).toBe("http://moved/");
  });

  it("start anew when they went and came back", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("a", { d: "http://a/" }));
    const before = states.get("a");
    load(states);
    expect(states.get("a")).toBeUndefined();
    load(states, cluster("a", { d: "http://a/" }));
    expect(states.get("a")).not.toBe(before);
  });

  it("leave what was read before a reload as it was", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("a", { d1: "http://a/", d2: "http://b/" }));
    const destinations = states.get("a")?.destinations;
    load(states, cluster("a", { d2: "http://b/" }));
    expect(destinations?.all.map((each) => each.id)).toEqual(["d1", "d2"]);
    expect(states.get("a")?.destinations.all.map((each) => each.id)).toEqual(["d2"]);
  });

  it("count a revision for changed settings, not for changed destinations", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("a", { d: "http://a/" }));
    load(states, cluster("a", { d: "http://b/", e: "http://c/" }));
    expect(states.get("a")?.revision).toBe(1);
    const prepared = states.prepare([{ ...cluster("a"), loadBalancingPolicy: "Random" }]);
    const state = states.get("a");
    expect(state !== undefined && prepared.settingsChanged(state)).toBe(true);
    prepared.commit();
    expect(states.get("a")?.revision).toBe(2);
  });

  it("change nothing when one of them cannot be built", () => {
    let fail = false;
    const states = new ClusterStates({
      cluster(config) {
        if (fail && config.clusterId === "b") throw new Error("no client");
        return { config, loadBalancing: roundRobin };
      },
    });
    load(states, cluster("a", { d: "http://a/" }), cluster("b"));
    const [a, b] = states.all;
    fail = true;
    expect(() => states.prepare([cluster("a", { d: "http://new/" }), cluster("b"), cluster("c")])).toThrow("no client");
    expect(states.all).toEqual([a, b]);
    expect(a?.destinations.all[0]?.model.config.address).toBe("http://a/");
  });

  it("change nothing until the preparation is committed", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("a", { d: "http://a/" }));
    const model = states.get("a")?.model;
    states.prepare([{ ...cluster("a", { d: "http://b/" }), loadBalancingPolicy: "Random" }]);
    expect(states.get("a")?.model).toBe(model);
    expect(states.get("a")?.destinations.all[0]?.model.config.address).toBe("http://a/");
  });

  it("are refused when an id stands twice", () => {
    const states = new ClusterStates(plain);
    expect(() => states.prepare([cluster("a"), cluster("A")])).toThrow("duplicate cluster 'A'");
    expect(() => states.prepare([cluster("a", { d: "http://a/", D: "http://b/" })])).toThrow("duplicate destination 'D'");
  });

  it("tell listeners what came, changed and went", () => {
    const told: string[] = [];
    const states = new ClusterStates(plain, [
      {
        added: (state) => void told.push(`added ${state.id}`),
        changed: (state) => void told.push(`changed ${state.id}`),
        removed: (state) => void told.push(`removed ${state.id}`),
      },
    ]);
    load(states, cluster("a"), cluster("b", { d: "http://a/" }), cluster("c"));
    load(states, cluster("a"), cluster("b", { d: "http://moved/" }), cluster("new"));
    expect(told).toEqual(["added a", "added b", "added c", "added new", "changed b", "removed c"].sort(byOrder(told)));
    expect(told.slice(0, 3)).toEqual(["added a", "added b", "added c"]);
  });

  it("are in force whole although a listener fails", () => {
    const told: string[] = [];
    const failing = (): never => {
      throw new Error("mine");
    };
    const states = new ClusterStates(plain, [
      { added: failing, changed: failing, removed: failing },
      { added: (state) => void told.push(state.id) },
    ]);
    load(states, cluster("a"), cluster("b"));
    load(states, cluster("a", { d: "http://a/" }));
    expect(states.all.map((each) => each.id)).toEqual(["a"]);
    expect(told).toEqual(["a", "b"]);
  });

  it("hold nothing of what ten thousand reloads brought and took", () => {
    const states = new ClusterStates(plain);
    for (let i = 0; i < 10_000; i++) load(states, cluster("stays", { [`d${i}`]: "http://a/" }), cluster(`c${i}`));
    expect(states.all.map((each) => each.id)).toEqual(["stays", "c9999"]);
    expect(states.get("stays")?.destinations.all.map((each) => each.id)).toEqual(["d9999"]);
  });
});

describe("available destinations", () => {
  it("are all of them, whatever their health, by default", () => {
    const states = new ClusterStates(plain);
    load(states, cluster("a", { d1: "http://a/", d2: "http://b/" }));
    const state = states.get("a");
    for (const each of state?.destinations.all ?? []) each.activeHealth = "Unhealthy";
    state?.refreshAvailable();
    expect(state?.destinations.available).toBe(state?.destinations.all);
    expect(allDestinations.name).toBe("All");
  });

  it("are what the policy of the cluster leaves, asked again when health changed", () => {
    const healthy: AvailableDestinationsPolicy = {
      name: "HealthyOnly",
      available: (_cluster, all) => all.filter((each) => each.activeHealth !== "Unhealthy"),
    };
    const states = new ClusterStates({
      cluster: (config) => ({ config, loadBalancing: roundRobin, availability: healthy }),
    });
    load(states, cluster("a", { d1: "http://a/", d2: "http://b/" }));
    const state = states.get("a");
    const [d1] = state?.destinations.all ?? [];
    if (d1 !== undefined) d1.activeHealth = "Unhealthy";
    expect(state?.destinations.available).toHaveLength(2);
    state?.refreshAvailable();
    expect(state?.destinations.available.map((each) => each.id)).toEqual(["d2"]);
  });
});

function byOrder(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
