import { describe, expect, it } from "vitest";
import { createDnsResolver, resolvingProvider, type DnsLookup } from "@proxy/cluster";
import { memoryProvider } from "@proxy/config";
import { FakeClock } from "./support/fake-clock.ts";

const one = { d: { address: "http://api.test:8080/base" } };

function lookupOf(answers: Readonly<Record<string, readonly string[]>>): DnsLookup {
  return {
    async addresses(host) {
      const found = answers[host];
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found.map((address) => ({ address }));
    },
  };
}

describe("destinations by DNS", () => {
  it("are one per address, sorted, with IPv6 in brackets and the Host of the configuration", async () => {
    const resolver = createDnsResolver({ lookup: lookupOf({ "api.test": ["10.0.0.2", "2001:db8::1", "10.0.0.1"] }) });
    const { destinations } = await resolver.resolve("c", one);
    expect(Object.entries(destinations).map(([id, each]) => [id, each.address, each.host])).toEqual([
      ["d[10.0.0.1]", "http://10.0.0.1:8080/base", "api.test:8080"],
      ["d[10.0.0.2]", "http://10.0.0.2:8080/base", "api.test:8080"],
      ["d[2001:db8::1]", "http://[2001:db8::1]:8080/base", "api.test:8080"],
    ]);
  });

  it("leave IP addresses as they are", async () => {
    const resolver = createDnsResolver({ lookup: lookupOf({}) });
    const given = { a: { address: "http://10.0.0.1/" }, b: { address: "http://[::1]:80/" } };
    expect(await resolver.resolve("c", given)).toEqual({ destinations: given, refreshAfter: undefined });
  });

  it("are targets and ports where the host is a service", async () => {
    const lookup: DnsLookup = { ...lookupOf({}), services: async () => [{ name: "n1.test", port: 81 }, { name: "n0.test", port: 80 }] };
    const { destinations } = await createDnsResolver({ lookup }).resolve("c", { d: { address: "http://_http._tcp.api.test/x" } });
    expect(Object.entries(destinations).map(([id, each]) => [id, each.address])).toEqual([
      ["d[n0.test:80]", "http://n0.test:80/x"],
      ["d[n1.test:81]", "http://n1.test:81/x"],
    ]);
  });

  it("keep the last good answer while DNS is silent, and fail only when there was none", async () => {
    let isUp = true;
    const stale: string[] = [];
    const lookup: DnsLookup = {
      addresses: async (host) => {
        if (!isUp) throw new Error("ETIMEOUT");
        return lookupOf({ "api.test": ["10.0.0.1"] }).addresses(host);
      },
    };
    const resolver = createDnsResolver({ lookup, onStale: (host) => void stale.push(host) });
    const before = await resolver.resolve("c", one);
    isUp = false;
    expect((await resolver.resolve("c", one)).destinations).toEqual(before.destinations);
    expect(stale).toEqual(["api.test"]);
    await expect(resolver.resolve("c", { d: { address: "http://other.test/" } })).rejects.toThrow("ETIMEOUT");
  });

  it("keep the last good answer when DNS says what can be no address, and what is said at first fails the load", async () => {
    const service = { d: { address: "http://_http._tcp.api.test/base" } };
    const answers = async (records: { readonly addresses?: readonly string[]; readonly services?: readonly { name: string; port: number }[] }) => {
      let first = true;
      const lookup: DnsLookup = {
        addresses: async () => (first ? [{ address: "10.0.0.1" }] : (records.addresses ?? []).map((address) => ({ address }))),
        services: async () => (first ? [{ name: "n1.test", port: 80 }] : (records.services ?? [])),
      };
      const resolver = createDnsResolver({ lookup });
      const config = records.services === undefined ? one : service;
      const before = await resolver.resolve("c", config);
      first = false;
      expect((await resolver.resolve("c", config)).destinations).toEqual(before.destinations);
      await expect(createDnsResolver({ lookup }).resolve("c", config)).rejects.toThrow();
    };
    for (const address of ["", "evil.test/x?", "10.0.0.1/admin", "fe80::1%eth0", "10.0.0.256", "1.2.3.4:80@evil"]) await answers({ addresses: [address] });
    for (const name of ["", ".", "evil/../x", "a b", "x@evil.test", "a..b", "h:80", "a?b", "*.test"]) await answers({ services: [{ name, port: 80 }] });
    for (const port of [0, -1, 65_536, Number.NaN]) await answers({ services: [{ name: "n1.test", port }] });
  });

  it("are those of the records that can be used", async () => {
    const resolver = createDnsResolver({ lookup: lookupOf({ "api.test": ["fe80::1%eth0", "10.0.0.1", "10.0.0.1/x"] }) });
    expect(Object.keys((await resolver.resolve("c", one)).destinations)).toEqual(["d[10.0.0.1]"]);
  });

  it("are asked for again by TTL, period and jitter, whichever is first", async () => {
    const lookup: DnsLookup = { addresses: async () => [{ address: "10.0.0.1", ttl: 60 }, { address: "10.0.0.2", ttl: 30 }] };
    const after = async (options: { refreshPeriod?: number; random?: () => number }) =>
      (await createDnsResolver({ lookup, random: () => 0, clock: new FakeClock(), ...options }).resolve("c", one)).refreshAfter;
    expect(await after({})).toBe(30_000);
    expect(await after({ refreshPeriod: 20_000 })).toBe(20_000);
    expect(await after({ random: () => 1_000 })).toBe(27_000);
    expect(await after({ refreshPeriod: 0 })).toBeUndefined();
  });

  it("signal a change when it is time, and are the same configuration when nothing changed", async () => {
    const clock = new FakeClock();
    const answers: Record<string, readonly string[]> = { "api.test": ["10.0.0.1"] };
    const resolver = createDnsResolver({ lookup: lookupOf(answers), clock, random: () => 0, refreshPeriod: 60_000 });
    const provider = resolvingProvider(memoryProvider({ routes: [], clusters: [{ clusterId: "c", destinations: one }] }), resolver, clock);
    let signals = 0;
    const stop = provider.subscribe(() => signals++);
    const first = await provider.load();
    await clock.advance(60_000);
    expect(signals).toBe(1);
    expect(await provider.load()).toBe(first);
    answers["api.test"] = ["10.0.0.9"];
    const second = await provider.load();
    expect(Object.keys(second.clusters[0]?.destinations ?? {})).toEqual(["d[10.0.0.9]"]);
    stop();
    expect(clock.pending).toEqual([]);
    await provider.close?.();
  });
});
