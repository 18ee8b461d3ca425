import { domainToASCII } from "node:url";
import { portColon } from "@proxy/http";

const mapped = "::ffff:";

/** An IP address as it is told to others: IPv4-mapped IPv6 as IPv4, without a zone. */
export function shownAddress(address: string | undefined): string | undefined {
  if (address === undefined || !address.includes(":")) return address;
  if (address.startsWith(mapped) && address.includes(".")) return address.slice(mapped.length);
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}

/** An authority in ASCII (RFC 3490 where it is not); undefined when there is none. */
export function asciiAuthority(authority: string): string | undefined {
  for (let i = 0; i < authority.length; i++) if (authority.charCodeAt(i) > 0x7f) return encoded(authority);
  return authority === "" ? undefined : authority;
}

function encoded(authority: string): string | undefined {
  const colon = portColon(authority);
  const host = domainToASCII(colon < 0 ? authority : authority.slice(0, colon));
  return host === "" ? undefined : host + (colon < 0 ? "" : authority.slice(colon));
}
