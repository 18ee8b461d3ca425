import { lookup as systemLookup, Resolver } from "node:dns/promises";
import type { DnsLookup } from "./dns-resolver.ts";

export interface NodeDnsOptions {
  /** Default: both. */
  readonly family?: 4 | 6 | undefined;
  /**
   * "system" asks as other programs of the machine do, hosts file included, and knows no TTL; "dns" asks the name
   * servers. Default "system".
   */
  readonly source?: "system" | "dns" | undefined;
}

/** DNS as Node offers it. */
export function nodeDnsLookup(options: NodeDnsOptions = {}): DnsLookup {
  const { family, source = "system" } = options;
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  const services: DnsLookup["services"] = (name) => resolver.resolveSrv(name);
  if (source === "system") {
    return { services, addresses: (host) => systemLookup(host, { all: true, family: family ?? 0 }) };
  }
  return {
    services,
    async addresses(host) {
      const asked = await Promise.allSettled([
        family === 6 ? [] : resolver.resolve4(host, { ttl: true }),
        family === 4 ? [] : resolver.resolve6(host, { ttl: true }),
      ]);
      const found = asked.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
      const failure = asked.find((each) => each.status === "rejected");
      if (found.length === 0 && failure !== undefined) throw failure.reason;
      return found;
    },
  };
}
