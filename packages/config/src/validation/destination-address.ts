/** The address of a destination: an absolute http or https URL with host, optional port and base path, nothing else. */
import { isIPv4, isIPv6 } from "node:net";

/** Why `address` cannot be an address, or undefined when it can. The empty address is not asked about. */
export function addressFault(address: string): string | undefined {
  if (/[\u0000-\u0020\u007f]/.test(address)) return "it has blanks or control characters";
  if (address.includes("\\")) return "it has a backslash";
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(address)?.[1]?.toLowerCase();
  if (scheme === undefined) return "it has no scheme; write http://host:port/ or https://host:port/";
  if (scheme !== "http" && scheme !== "https") return `the scheme '${scheme}' cannot be forwarded to; use http or https`;
  if (!URL.canParse(address)) return "it is no URL";
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") return "it has a user name or password";
  if (address.includes("?")) return "it has a query";
  if (address.includes("#")) return "it has a fragment";
  if (url.port === "0") return "port 0 cannot be connected to";
  // `http:///path`: the URL parser would take the first segment for the host.
  if (address.slice(scheme.length + 3).startsWith("/")) return "it has no host";
  return undefined;
}

/** The address without what a message must not show: a password. */
export function withoutCredentials(address: string): string {
  return address.replace(/^([^/]*:\/\/)[^/?#]*@/, "$1***@");
}

/** Why `host` cannot be a Host header (RFC 9110, 7.2: host and optional port), or undefined when it can. */
export function hostHeaderFault(host: string): string | undefined {
  if (/[\u0000-\u0020\u007f/\\?#@]/.test(host)) return "it has a character that no host has";
  if (!URL.canParse(`http://${host}/`)) return "it is no host with an optional port";
  return undefined;
}

/** Why `name` cannot be a server name (RFC 6066, 3) or an address in its place, or undefined when it can. */
export function serverNameFault(name: string): string | undefined {
  if (isIPv4(name) || isIPv6(name)) return undefined;
  if (/[^\u0021-\u007e]/.test(name)) return "it is written in punycode (xn--) where it is not ASCII, and has no blanks";
  if (name.length > 253 || !/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(name)) return "it is a host name without port, or an IP address without brackets";
  return undefined;
}

/** Why `server` cannot be asked for names, or undefined when it can: an IP address, IPv6 in brackets where a port follows. */
export function nameServerFault(server: string): string | undefined {
  if (isIPv6(server) && !server.includes("%")) return undefined;
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(server) ?? [];
  const valid = bracketed === undefined ? isIPv4(plain ?? "") : isIPv6(bracketed);
  if (!valid) return "it is no IP address with an optional port";
  return port === undefined || (Number(port) > 0 && Number(port) <= 65_535) ? undefined : "ports go from 1 to 65535";
}
