import { createConfiguredResolver, createDnsResolver, type DestinationResolver, type DnsLookup } from "@proxy/cluster";
import { describeResolverContract, type ResolverUnderTest } from "./contract/destination-resolver.ts";

function lookups(): { readonly lookup: DnsLookup; fail(): void } {
  let hasFailed = false;
  return {
    lookup: {
      async addresses(host) {
        if (hasFailed) throw new Error(`ENOTFOUND ${host}`);
        return host === "one.test" ? [{ address: "10.0.0.2", ttl: 60 }, { address: "10.0.0.1", ttl: 30 }] : [{ address: "2001:db8::1" }];
      },
    },
    fail: () => void (hasFailed = true),
  };
}

describeResolverContract("the DNS resolver", () => {
  const { lookup, fail } = lookups();
  return { resolver: createDnsResolver({ lookup }), fail };
});

describeResolverContract(
  "the resolver of a configuration",
  () => {
    const { lookup, fail } = lookups();
    return { resolver: createConfiguredResolver({ lookup: () => lookup }), fail };
  },
  { destinationResolver: { kind: "Dns" } },
);

/** As a user would write one: a table of services, without waiting. */
function byTable(): ResolverUnderTest {
  let table: Readonly<Record<string, readonly string[]>> | undefined = { "one.test": ["http://10.0.0.1/"], "two.test": ["http://10.0.0.2/", "http://10.0.0.3/"] };
  const resolver: DestinationResolver = {
    name: "table",
    resolve(_clusterId, destinations) {
      const found = table;
      if (found === undefined) return Promise.reject(new Error("the table is gone"));
      const members = Object.entries(destinations).flatMap(([id, each]) =>
        (found[new URL(each.address).hostname] ?? []).map((address, index) => [`${id}-${index}`, { ...each, address }] as const),
      );
      return { destinations: Object.fromEntries(members) };
    },
  };
  return { resolver, fail: () => void (table = undefined) };
}
describeResolverContract("a user's resolver", byTable);
