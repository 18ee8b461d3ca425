/** What every load balancing policy holds to, built in or a user's. */
import { describe, expect, it } from "vitest";
import { createLoadBalancingPolicies, type LoadBalancingPolicy } from "@proxy/cluster";
import { destinationsOf, emptyCluster, noExchange } from "../support/clusters.ts";

/** Runs the suite against the policy that `make` makes, anew for each test. */
export function describeLoadBalancingPolicyContract(name: string, make: () => LoadBalancingPolicy): void {
  describe(`${name} keeps the contract of load balancing policies`, () => {
    it("has a name that can be registered", () => {
      const policy = make();
      const others = ["PowerOfTwoChoices", "Random", "RoundRobin", "LeastRequests", "FirstAlphabetical"];
      expect(policy.name.trim()).toBe(policy.name);
      expect(policy.name).not.toBe("");
      if (!others.includes(policy.name)) expect(createLoadBalancingPolicies([policy]).get(policy.name)).toBe(policy);
    });

    it("picks nothing from nothing", () => {
      expect(make().pick(noExchange, emptyCluster(), [])).toBeUndefined();
    });

    it("picks one of those that are available, whatever their number and load", () => {
      const policy = make();
      const cluster = emptyCluster();
      for (let count = 2; count <= 17; count++) {
        const all = destinationsOf(...Array.from({ length: count }, (_, i) => [`d${i}`, (i * 7) % 5] as const));
        for (let round = 0; round < 20; round++) {
          const picked = policy.pick(noExchange, cluster, all);
          if (picked !== undefined) expect(all).toContain(picked);
        }
      }
    });

    it("leaves the list, the destinations and their counters as they are", () => {
      const policy = make();
      const all = destinationsOf(["c", 2], ["a", 1], ["b", 0]);
      const before = all.map((each) => [each, each.inFlight, each.model, each.activeHealth, each.passiveHealth]);
      const list = Object.freeze([...all]);
      for (let round = 0; round < 10; round++) policy.pick(noExchange, emptyCluster(), list);
      expect(all.map((each) => [each, each.inFlight, each.model, each.activeHealth, each.passiveHealth])).toEqual(before);
    });

    it("gives an answer at once, not a promise", () => {
      const picked: unknown = make().pick(noExchange, emptyCluster(), destinationsOf(["a", 0], ["b", 0]));
      expect(picked).not.toBeInstanceOf(Promise);
    });
  });
}
