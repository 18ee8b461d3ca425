import { afterAll, describe, expect, it } from "vitest";
import {
  ClusterStates,
  createAvailableDestinationsPolicies,
  defaultAvailableDestinationsPolicy,
  roundRobin,
  type AvailableDestinationsPolicy,
  type HealthStatus,
} from "@proxy/cluster";
import { loadArea, type ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { destinationsOf, idsOf } from "./support/clusters.ts";

const { cases } = loadArea("available-destinations");

describe("conformance: available-destinations", () => {
  let held = 0;
  afterAll(() => reportArea("available-destinations", { held, superseded: 0, failed: cases.length - held }));
  for (const each of cases) {
    it(`${each.id}: ${each.title}`, () => {
      check(each);
      held++;
    });
  }
});

function check({ given, expect: expected }: ConformanceCase): void {
  if (given.kind === undefined) {
    const all = destinationsOf(...given.destinations.map((each: { id: string }) => [each.id, 0] as const));
    given.destinations.forEach((each: { active: HealthStatus; passive: HealthStatus }, index: number) =>
      Object.assign(all[index] ?? {}, { activeHealth: each.active, passiveHealth: each.passive }),
    );
    const healthCheck =
      given.activeEnabled === null
        ? undefined
        : { active: { enabled: given.activeEnabled }, passive: { enabled: given.passiveEnabled } };
    const policy = createAvailableDestinationsPolicies().get(given.policy);
    expect(idsOf(policy.available({ clusterId: "c", healthCheck }, all))).toEqual(expected.available);
  } else if (given.operation === "update-all") {
    const asked: string[] = [];
    const input: string[] = [];
    const policies = createAvailableDestinationsPolicies(
      given.policies.map((name: string): AvailableDestinationsPolicy => ({
        name,
        available(_cluster, all) {
          asked.push(name);
          input.push(...idsOf(all));
          return all.filter((each) => each.id !== given.policySkips);
        },
      })),
    );
    const states = new ClusterStates({
      cluster: (config) => ({ config, loadBalancing: roundRobin, availability: policies.get(given.clusterPolicy) }),
    });
    const destinations = Object.fromEntries(given.destinations.map((id: string) => [id, { address: `http://${id}/` }]));
    states.prepare([{ clusterId: "c", destinations }]).commit();
    const set = states.get("c")?.destinations;
    expect({ all: idsOf(set?.all ?? []), available: idsOf(set?.available ?? []), policiesAsked: asked, policyInput: input }).toEqual(
      expected,
    );
  } else {
    expect(defaultAvailableDestinationsPolicy).toBe(expected.policyUsed);
    expect(createAvailableDestinationsPolicies().get(defaultAvailableDestinationsPolicy).name).toBe(expected.policyUsed);
  }
}
