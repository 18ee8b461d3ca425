/** What every destination resolver holds to, built in or a user's. */
import { describe, expect, it } from "vitest";
import { ClusterStates, resolvingProvider, ResolverError, roundRobin, type DestinationResolver, type Destinations } from "@proxy/cluster";
import { memoryProvider, type ClusterConfig } from "@proxy/config";

export interface ResolverUnderTest {
  readonly resolver: DestinationResolver;
  /** From now on nothing that is asked of it has an answer, whatever was answered before. */
  fail(): void;
}

/** `settings` are those of the cluster that is resolved. */
export function describeResolverContract(
  name: string,
  make: () => ResolverUnderTest,
  settings: Partial<ClusterConfig> = {},
): void {
  const cluster: ClusterConfig = { clusterId: "c", ...settings };
  const given: Destinations = Object.freeze({
    a: Object.freeze({ address: "http://one.test:8080/base" }),
    B: Object.freeze({ address: "https://two.test/", host: "shop.test" }),
  });

  describe(`${name} keeps the contract of destination resolvers`, () => {
    it("has a name", () => {
      expect(make().resolver.name.trim()).not.toBe("");
    });

    it("gives destinations that a cluster can have, and leaves what it was given as it is", async () => {
      const before = structuredClone(given);
      const { destinations, refreshAfter } = await make().resolver.resolve("c", given, cluster);
      expect(given).toEqual(before);
      for (const { address } of Object.values(destinations)) expect(["http:", "https:"]).toContain(new URL(address).protocol);
      if (refreshAfter !== undefined) expect(refreshAfter).toBeGreaterThan(0);
      // Throws when two have the same id, ignoring case.
      const states = new ClusterStates({ cluster: (config) => ({ config, loadBalancing: roundRobin }) });
      states.prepare([{ ...cluster, destinations }]).commit();
      expect(states.get("c")?.destinations.all).toHaveLength(Object.keys(destinations).length);
    });

    it("gives the same for the same while nothing changes, also when asked several times at once", async () => {
      const { resolver } = make();
      const answers = await Promise.all([1, 2, 3].map(() => resolver.resolve("c", given, cluster)));
      answers.push(await resolver.resolve("c", given, cluster));
      for (const { destinations } of answers) expect(destinations).toEqual(answers[0]?.destinations);
    });

    it("that cannot say rejects: the load fails with the name of the cluster", async () => {
      const { resolver, fail } = make();
      fail();
      const provider = resolvingProvider(memoryProvider({ routes: [], clusters: [{ ...cluster, destinations: given }], revisionId: "1" }), resolver);
      await expect(provider.load()).rejects.toThrow(ResolverError);
      await expect(provider.load()).rejects.toMatchObject({ clusterId: "c" });
      await provider.close?.();
    });

    it("stops telling a listener that left", async () => {
      const { resolver } = make();
      let told = 0;
      resolver.subscribe?.(() => told++)();
      await resolver.resolve("c", given, cluster);
      expect(told).toBe(0);
    });
  });
}
