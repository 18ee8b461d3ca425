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
  /** Name servers to ask: IP addresses with an optional port (`192.0.2.53`, `[2001:db8::53]:53`). Default: the machine's. */
  readonly servers?: readonly string[] | undefined;
}

const maximumAnswered = 10_000;

/** The name servers say that there is no such record, as opposed to saying nothing. */
function isUnknown(reason: unknown): boolean {
  const { code } = reason as NodeJS.ErrnoException;
  return code === "ENODATA" || code === "ENOTFOUND";
}

/** DNS as Node offers it. Throws `TypeError` for a server that is no address. */
export function nodeDnsLookup(options: NodeDnsOptions = {}): DnsLookup {
  const { family, source = "system" } = options;
  /** Families of hosts that had addresses when they were asked for last. */
  const answered = new Set<string>();
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
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
      asked.forEach((each, index) => {
        const question = `${index} ${host}`;
        if (each.status === "fulfilled") answered.add(question);
        else if (isUnknown(each.reason)) answered.delete(question);
        // No address has gone because nobody told of it this time.
        else if (answered.has(question)) throw each.reason;
      });
      if (answered.size > maximumAnswered) answered.clear();
      const found = asked.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
      const failure = asked.find((each) => each.status === "rejected");
      if (found.length === 0 && failure !== undefined) throw failure.reason;
      return found;
    },
  };
}
