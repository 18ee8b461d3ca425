import { describe, expect, it } from "vitest";
import { firstAlphabetical, powerOfTwoChoices, roundRobin } from "@proxy/cluster";
import { destinationsOf, emptyCluster, noExchange } from "./support/clusters.ts";

describe("RoundRobin", () => {
  it("goes on without a jump when its counter wraps at 32 bits", () => {
    const cluster = emptyCluster();
    const all = destinationsOf(["a", 0], ["b", 0]);
    cluster.roundRobinCounter = 0x7fff_ffff;
    const picked = Array.from({ length: 3 }, () => roundRobin.pick(noExchange, cluster, all)?.id);
    expect(picked).toEqual(["b", "a", "b"]);
    expect(Math.abs(cluster.roundRobinCounter)).toBeLessThanOrEqual(0x8000_0000);
  });
});

describe("PowerOfTwoChoices", () => {
  it("ends although its source of randomness always gives the same", () => {
    const picked = powerOfTwoChoices(() => 1).pick(noExchange, emptyCluster(), destinationsOf(["a", 0], ["b", 5], ["c", 0]));
    expect(picked?.id).toBe("c");
  });
});

describe("FirstAlphabetical", () => {
  it("compares ids as .NET does when it ignores case: by upper-case forms", () => {
    const all = destinationsOf(["a_", 0], ["aB", 0]);
    expect(firstAlphabetical.pick(noExchange, emptyCluster(), all)?.id).toBe("aB");
  });
});
