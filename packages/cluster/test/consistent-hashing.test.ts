import { describe, expect, it } from "vitest";
import { ClusterStates, consistentHash, type ClusterState } from "@proxy/cluster";
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
