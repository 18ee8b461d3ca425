import { describe, expect, it } from "vitest";
import { ClusterStates, consistentHash, type ClusterState, type PickContext } from "@proxy/cluster";
import type { ConsistentHashConfig } from "@proxy/config";
import type { Exchange } from "@proxy/http";
import { describeLoadBalancingPolicyContract } from "./contract/load-balancing-policy.ts";
import { exchangeOf } from "./support/exchanges.ts";

const policy = consistentHash(() => 0);
const from = (remoteAddress: string): Exchange => exchangeOf({ remoteAddress }).exchange;
const clients = Array.from({ length: 20_000 }, (_, i) => from(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));

function clusterOf(weights: Readonly<Record<string, number>>, settings: ConsistentHashConfig = { maxLoadPercent: 0 }): ClusterState {
  const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policy }) });
  const destinations = Object.fromEntries(Object.entries(weights).map(([id, weight]) => [id, { address: `http://${id}/`, weight }]));
  states.prepare([{ clusterId: "c", destinations, consistentHash: settings }]).commit();
  const cluster = states.get("c");
  if (cluster === undefined) throw new Error("nothing was loaded");
  return cluster;
}

function pick(cluster: ClusterState, exchange: Exchange): string {
  return policy.pick(exchange, cluster, cluster.destinations.available)?.id ?? "";
}

const equal = (count: number): Record<string, number> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, 1]));

// The suite has no exchange to hand over: here every request is of one client.
describeLoadBalancingPolicyContract("ConsistentHash", () => {
  const made = consistentHash();
  return { name: "ofOneClient", pick: (_exchange, cluster, available) => made.pick(from("10.0.0.1"), cluster, available) };
});

describe("consistent hashing", () => {
  for (const count of [3, 10, 50]) {
    it(`moves at most 1/n + 2 % of the keys when one of ${count} leaves`, () => {
      const before = clusterOf(equal(count));
      const { d1: _gone, ...rest } = equal(count);
      const after = clusterOf(rest);
      const moved = clients.filter((each) => pick(before, each) !== pick(after, each)).length;
      expect(moved / clients.length).toBeLessThanOrEqual(1 / count + 0.02);
    });
  }

  it("gives each its share, by weight", () => {
    const cluster = clusterOf({ a: 1, b: 3, c: 0 });
    const counts: Record<string, number> = {};
    for (const each of clients) counts[pick(cluster, each)] = (counts[pick(cluster, each)] ?? 0) + 1;
    expect(counts["c"]).toBeUndefined();
    expect((counts["b"] ?? 0) / clients.length).toBeCloseTo(0.75, 1);
  });

  it("is the same on every gateway, whatever the order of destinations", () => {
    const one = clusterOf({ a: 1, b: 1, c: 1 });
    const other = clusterOf({ c: 1, A: 1, b: 1 });
    for (const each of clients.slice(0, 200)) expect(pick(one, each)).toBe(pick(other, each).toLowerCase());
  });

  it("goes by header, cookie or query parameter", () => {
    const all = { a: 1, b: 1, c: 1, d: 1, e: 1 };
    const settings: readonly (readonly [ConsistentHashConfig, (value: string) => Exchange])[] = [
      [{ on: "Header", name: "X-User" }, (value) => exchangeOf({ headers: [["x-user", value]] }).exchange],
      [{ on: "Cookie", name: "u" }, (value) => exchangeOf({ headers: [["Cookie", `x=1; u=${value}`]] }).exchange],
      [{ on: "Query", name: "u" }, (value) => exchangeOf({ query: `?au=1&u=${value}&b=2` }).exchange],
    ];
    for (const [config, request] of settings) {
      const cluster = clusterOf(all, { ...config, maxLoadPercent: 0 });
      const users = Array.from({ length: 40 }, (_, i) => pick(cluster, request(`user-${i}`)));
      expect(users).toEqual(Array.from({ length: 40 }, (_, i) => pick(cluster, request(`user-${i}`))));
      expect(new Set(users).size).toBe(5);
    }
  });

  it("goes by a route value, and anywhere without one", () => {
    const drawn = consistentHash((bound) => Math.floor(bound * 0.37));
    const cluster = clusterOf(equal(5), { on: "RouteValue", name: "Tenant", maxLoadPercent: 0 });
    const ofTenant = (tenant: string | undefined): PickContext => ({
      routeValues: { get: (name) => (name.toLowerCase() === "tenant" ? tenant : undefined) },
    });
    const pickFor = (context: PickContext | undefined): string => drawn.pick(from("192.0.2.1"), cluster, cluster.destinations.available, context)?.id ?? "";
    const tenants = Array.from({ length: 40 }, (_, i) => pickFor(ofTenant(`tenant-${i}`)));
    expect(tenants).toEqual(Array.from({ length: 40 }, (_, i) => pickFor(ofTenant(`tenant-${i}`))));
    expect(new Set(tenants).size).toBe(5);
    expect(pickFor(ofTenant(undefined))).toBe(pickFor(undefined));
  });

  it("passes on what its destination has no room for, always to the same one", () => {
    const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: policy }) });
    const destinations = Object.fromEntries(Object.keys(equal(5)).map((id) => [id, { address: `http://${id}/` }]));
    states.prepare([{ clusterId: "c", destinations, consistentHash: { maxLoadPercent: 0 }, circuitBreaker: { maxRequestsPerDestination: 1 } }]).commit();
    const cluster = states.get("c");
    if (cluster?.limiter === undefined) throw new Error("no limiter was made");
    for (const client of clients.slice(0, 50)) {
      const own = policy.pick(client, cluster, cluster.destinations.available);
      if (own === undefined) throw new Error("nothing was picked");
      cluster.limiter.tryEnter(own);
      const other = pick(cluster, client);
      expect(other).not.toBe(own.id);
      expect(pick(cluster, client)).toBe(other);
      cluster.limiter.leave(own);
      expect(pick(cluster, client)).toBe(own.id);
    }
  });

  it("goes on for lists that a step made for one request: few keys move, shares go by weight", () => {
    const cluster = clusterOf({ a: 1, b: 2, c: 5, d: 2, e: 0 });
    const all = [...cluster.destinations.all];
    const without = all.filter((each) => each.id !== "b");
    const counts: Record<string, number> = {};
    let moved = 0;
    for (const client of clients) {
      const before = policy.pick(client, cluster, all)?.id ?? "";
      counts[before] = (counts[before] ?? 0) + 1;
      if (before !== policy.pick(client, cluster, without)?.id) moved++;
    }
    expect(counts["e"]).toBeUndefined();
    for (const [id, share] of Object.entries({ a: 0.1, b: 0.2, c: 0.5, d: 0.2 })) expect(Math.abs((counts[id] ?? 0) / clients.length - share)).toBeLessThan(0.01);
    // Only what the one that left had.
    expect(moved).toBe(counts["b"]);
    const weightless = clusterOf({ a: 0, b: 0 });
    expect(new Set(clients.slice(0, 50).map((client) => policy.pick(client, weightless, [...weightless.destinations.all])?.id)).size).toBe(2);
  });

  it("lets others help out where one key is too much for its destination", () => {
    const cluster = clusterOf(equal(10), { maxLoadPercent: 125 });
    const [hot] = clients as [Exchange];
    for (let i = 0; i < 1_000; i++) {
      const picked = policy.pick(hot, cluster, cluster.destinations.available);
      if (picked === undefined) throw new Error("nothing was picked");
      picked.inFlight++;
      cluster.inFlight++;
    }
    expect(Math.max(...cluster.destinations.all.map((each) => each.inFlight))).toBeLessThanOrEqual(Math.ceil(1.25 * 100.1));
  });
});
