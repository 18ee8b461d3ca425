import type { DestinationConfig } from "@proxy/config";

/**
 * The name that a destination is asked for in TLS, and has to prove: its `ServerName`, then that of its `Host`, as .NET has it, so
 * that destinations by IP address are checked by the name that they were found by. Undefined: the host of the address.
 */
export function serverNameOf({ serverName, host }: Pick<DestinationConfig, "serverName" | "host">): string | undefined {
  if (serverName) return serverName;
  if (!host) return undefined;
  const authority = `http://${host}/`;
  if (!URL.canParse(authority)) return undefined;
  // In ASCII (RFC 5891): the form that certificates and SNI have.
  const { hostname } = new URL(authority);
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
