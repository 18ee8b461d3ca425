import { afterAll, describe, expect, it } from "vitest";
import {
  builtInLoadBalancingPolicies,
  createLoadBalancingPolicies,
  PolicyError,
  powerOfTwoChoices,
  random,
} from "@proxy/cluster";
import { loadArea, type ConformanceCase } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { destinationsOf, emptyCluster, noExchange, randomOf } from "./support/clusters.ts";

interface Draw {
  readonly policy: string;
  readonly destinations: readonly { readonly id: string; readonly concurrent: number }[];
  readonly picks: number;
  readonly random?: readonly number[];
  readonly afterEachPick: "increment" | "nothing";
}

const { cases } = loadArea("loadbalancing");
/** The cases of kind `middleware` concern the step and stand with it in the tests of the pipeline. */
const ours = cases.filter((each) => each.given.kind === "pick" || each.given.question === "names");

describe("conformance: loadbalancing, policies", () => {
  let held = 0;
  afterAll(() => reportArea("loadbalancing (policies)", { held, superseded: 0, failed: ours.length - held }));
  for (const each of ours) {
    it(`${each.id}: ${each.title}`, () => {
      check(each);
      held++;
    });
  }
});

function check({ given, expect: expected }: ConformanceCase): void {
  if (given.question === "names") {
    const names = builtInLoadBalancingPolicies().map((policy) => policy.name);
    expect(names.sort()).toEqual(expected.policies);
  } else if (expected.sequence !== undefined) {
    expect(draw(given).ids).toEqual(expected.sequence);
  } else {
    expect(expected.property).toBe("when exactly one destination has the highest count, the pick has a lower count");
    for (const { counts, picked } of draw(given).steps) {
      const highest = Math.max(...counts.values());
      const busiest = [...counts].filter(([, count]) => count === highest);
      if (busiest.length === 1) expect(counts.get(picked)).toBeLessThan(highest);
    }
  }
}

function draw(given: Draw): { ids: string[]; steps: { counts: Map<string, number>; picked: string }[] } {
  const source = given.random === undefined ? undefined : randomOf(given.random);
  const policy =
    given.policy === "Random"
      ? random(source)
      : given.policy === "PowerOfTwoChoices"
        ? powerOfTwoChoices(source)
        : createLoadBalancingPolicies().get(given.policy);
  const cluster = emptyCluster();
  const available = destinationsOf(...given.destinations.map((each) => [each.id, each.concurrent] as const));
  const ids: string[] = [];
  const steps = [];
  for (let i = 0; i < given.picks; i++) {
    const counts = new Map(available.map((each) => [each.id, each.inFlight]));
    const picked = policy.pick(noExchange, cluster, available);
    if (picked !== undefined && given.afterEachPick === "increment") picked.inFlight++;
    ids.push(picked?.id ?? "");
    steps.push({ counts, picked: picked?.id ?? "" });
  }
  return { ids, steps };
}

describe("load balancing policies by name", () => {
  it("are found whatever the case of the name", () => {
    const policies = createLoadBalancingPolicies();
    expect(policies.get("firstALPHABETICAL").name).toBe("FirstAlphabetical");
  });

  it("are refused when two share a name in any case, a built-in one included", () => {
    const mine = { ...powerOfTwoChoices(), name: "powerOfTWOchoices" };
    expect(() => createLoadBalancingPolicies([mine])).toThrow(PolicyError);
    expect(() => createLoadBalancingPolicies([mine])).toThrow("duplicate load balancing policy 'powerOfTWOchoices'");
  });

  it("are named in the error when one is not known", () => {
    expect(() => createLoadBalancingPolicies().get("NonExistentPolicy")).toThrow(/unknown .*'NonExistentPolicy'.*RoundRobin/);
  });
});
