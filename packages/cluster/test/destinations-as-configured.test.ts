import { describe, expect, it } from "vitest";
import { createConfiguredResolver, resolvingProvider, type DnsLookup } from "@proxy/cluster";
import type { ClusterConfig, ConfigProvider, ProxyConfig } from "@proxy/config";
import { FakeClock } from "./support/fake-clock.ts";

const destinations = { d: { address: "http://api.test/" } };
const dns = { kind: "Dns" } as const;

/** Asks count; each host has one address. */
function counted(): { readonly asked: string[]; readonly lookup: () => DnsLookup } {
  const asked: string[] = [];
  return { asked, lookup: () => ({ addresses: async (host) => (asked.push(host), [{ address: "10.0.0.1", ttl: 60 }]) }) };
}

function provider(clusters: readonly ClusterConfig[]): ConfigProvider {
  // A new object at each load, as from a file that is read again.
  const load = async (): Promise<ProxyConfig> => structuredClone({ routes: [], clusters: [...clusters], revisionId: "1" });
  return { name: "test", load, subscribe: () => () => {} };
}

describe("destinations as configured", () => {
  it("are resolved where the cluster says so, and stay as they are elsewhere", async () => {
    const { asked, lookup } = counted();
    const resolver = createConfiguredResolver({ lookup });
    const resolve = async (cluster: Partial<ClusterConfig>) =>
      Object.keys((await resolver.resolve("c", destinations, { clusterId: "c", ...cluster })).destinations);
    expect(await resolve({})).toEqual(["d"]);
    expect(await resolve({ destinationResolver: { kind: "None" } })).toEqual(["d"]);
    // Told by the validation; resolving has nothing to add.
    expect(await resolve({ destinationResolver: { ...dns, nameServers: ["nonsense"] } })).toEqual(["d"]);
    expect(asked).toEqual([]);
    expect(await resolve({ destinationResolver: dns })).toEqual(["d[10.0.0.1]"]);
  });

  it("of a service are named by their targets, unless a Host is configured", async () => {
    const lookup = () => ({ addresses: async () => [], services: async () => [{ name: "n.test", port: 81 }] });
    const resolver = createConfiguredResolver({ lookup });
    const cluster = { clusterId: "c", destinationResolver: dns };
    const hostOf = async (host?: string) =>
      Object.values((await resolver.resolve("c", { d: { address: "http://_http._tcp.api.test/", host } }, cluster)).destinations)[0]?.host;
    expect(await hostOf()).toBeUndefined();
    expect(await hostOf("shop.test")).toBe("shop.test");
  });

  it("are one configuration while only time has passed, and a new one when somebody asked for it", async () => {
    const clock = new FakeClock();
    const { asked, lookup } = counted();
    const cluster = { clusterId: "c", destinations, destinationResolver: dns };
    const resolving = resolvingProvider(provider([cluster]), createConfiguredResolver({ lookup, clock, random: () => 0 }), clock);
    let signals = 0;
    const stop = resolving.subscribe(() => signals++);
    const first = await resolving.load();
    await clock.advance(60_000);
    expect(signals).toBe(1);
    expect(await resolving.load()).toBe(first);
    expect(asked).toHaveLength(2);
    expect(await resolving.load()).not.toBe(first);
    stop();
  });

  it("without a resolver are the provider's own configuration", async () => {
    const given = { routes: [], clusters: [{ clusterId: "c", destinations }], revisionId: "1" };
    const plain: ConfigProvider = { name: "test", load: async () => given, subscribe: () => () => {} };
    expect(await resolvingProvider(plain, createConfiguredResolver()).load()).toBe(given);
  });
});
