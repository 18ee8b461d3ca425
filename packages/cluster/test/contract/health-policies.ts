/** What health and availability policies hold to, built in or a user's. */
import { describe, expect, it } from "vitest";
import {
  HealthUpdater,
  type ActiveHealthPolicy,
  type AvailableDestinationsPolicy,
  type DestinationState,
  type HealthStatus,
  type PassiveHealthPolicy,
} from "@proxy/cluster";
import { FakeClock } from "../support/fake-clock.ts";
import { configOf, load, statesOf } from "../support/states.ts";

const statuses: readonly HealthStatus[] = ["Unknown", "Healthy", "Unhealthy"];
const checks = { active: { enabled: true }, passive: { enabled: true } };

function clusterOf(...ids: readonly string[]) {
  const [cluster] = load(statesOf(), configOf("c", ids, { healthCheck: checks }));
  if (cluster === undefined) throw new Error("nothing was loaded");
  return cluster;
}

export function describeAvailabilityPolicyContract(policy: AvailableDestinationsPolicy): void {
  describe(`${policy.name} keeps the contract of available destinations policies`, () => {
    it("gives a sublist in the same order, all of it when nothing is left out, whatever their health", () => {
      const cluster = clusterOf("a", "b", "c");
      const { all } = cluster.destinations;
      for (let state = 0; state < 9 ** 3; state++) {
        all.forEach((each, index) => {
          const own = Math.floor(state / 9 ** index) % 9;
          each.activeHealth = statuses[own % 3] ?? "Unknown";
          each.passiveHealth = statuses[Math.floor(own / 3)] ?? "Unknown";
        });
        const available = policy.available(cluster.model.config, all);
        expect(available).toEqual(all.filter((each) => available.includes(each)));
        if (available.length === all.length) expect(available).toBe(all);
      }
    });

    it("gives nothing of nothing", () => {
      expect(policy.available({ clusterId: "c" }, [])).toEqual([]);
    });
  });
}

export function describeActivePolicyContract(name: string, make: () => ActiveHealthPolicy): void {
  describe(`${name} keeps the contract of active health policies`, () => {
    it("judges none but those that were probed, by states that there are, with a reason for each change", () => {
      const cluster = clusterOf("a", "b");
      const policy = make();
      const [probed] = cluster.destinations.all as [DestinationState];
      for (const status of [200, 500, undefined, 204, undefined, undefined, undefined]) {
        const error = status === undefined ? new Error("refused") : undefined;
        for (const { destination, health, reason } of policy.judge(cluster, [{ destination: probed, status, error }])) {
          expect(destination).toBe(probed);
          expect(statuses).toContain(health);
          if (health !== destination.activeHealth) expect(reason).not.toBe("");
        }
      }
      expect([...policy.judge(cluster, [])]).toEqual([]);
    });
  });
}

export function describePassivePolicyContract(name: string, make: (clock: FakeClock) => PassiveHealthPolicy): void {
  describe(`${name} keeps the contract of passive health policies`, () => {
    it("neither throws nor touches another destination, whatever the outcome", () => {
      const clock = new FakeClock();
      const cluster = clusterOf("a", "b");
      const policy = make(clock);
      const updater = new HealthUpdater({ clock });
      const [a, b] = cluster.destinations.all as [DestinationState, DestinationState];
      for (const error of [undefined, "Request", "RouteTimeout", "ResponseBodyClient", "no such code"]) {
        for (let i = 0; i < 30; i++) {
          clock.set(clock.now() + 100);
          const status = error === undefined ? 500 : undefined;
          policy.requestEnded(cluster, a, { error, clientGone: i % 7 === 0, status, duration: 5 }, updater);
        }
      }
      expect(statuses).toContain(a.passiveHealth);
      expect(b.passiveHealth).toBe("Unknown");
      updater.close();
      expect(clock.pending).toEqual([]);
    });
  });
}
