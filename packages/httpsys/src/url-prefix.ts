import { isIP } from "node:net";

/**
 * A URL prefix as HTTP.sys registers it: `scheme://host:port/path/`. The host is `+` (strong wildcard: everything on the port),
 * `*` (weak wildcard: what nobody else took), a name, an IPv4 address, or an IPv6 address in brackets.
 */
export interface UrlPrefix {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly kind: "strong wildcard" | "name" | "address" | "weak wildcard";
  readonly port: number;
  /** Begins and ends with a slash. */
  readonly path: string;
  /** The whole, in its one normal form: scheme and host in lower case, port and trailing slash present. */
  readonly text: string;
}

/** A text is no URL prefix; the message says why. */
export class UrlPrefixError extends TypeError {
  override readonly name = "UrlPrefixError";
  readonly code = "INVALID_URL_PREFIX";
}

/**
 * Reads a prefix. The port may be missing (80 or 443), as may the trailing slash: both are added.
 *
 * @throws {UrlPrefixError} which says what is wrong with it.
 */
export function parseUrlPrefix(text: string): UrlPrefix {
  const refuse = (why: string): never => {
    throw new UrlPrefixError(`invalid URL prefix ${JSON.stringify(text.slice(0, 200))}: ${why}`);
  };
  const colon = text.indexOf("://");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (scheme !== "http" && scheme !== "https") return refuse("it begins with neither http:// nor https://");
  const rest = text.slice(colon + 3);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  let path = slash < 0 ? "/" : rest.slice(slash);
  if (/[?#]/.test(rest)) return refuse("a prefix has no query and no fragment");
  if (/[\u0000-\u0020\u007f-\uffff\\"<>^`{|}*]/.test(path)) return refuse("its path holds a character that no path may hold");
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return refuse("its path holds a broken percent-encoding");
  if (/\/\.{1,2}(?:\/|$)/.test(path) || path.includes("//")) return refuse("its path holds an empty or a dot segment");
  if (!path.endsWith("/")) path += "/";

  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(authority);
  if (match === null) return refuse("it has no host, or a bad port");
  const host = (match[1] as string).toLowerCase();
  const port = match[2] === undefined ? (scheme === "http" ? 80 : 443) : Number(match[2]);
  if (port < 1 || port > 65_535) return refuse("its port is not between 1 and 65535: HTTP.sys cannot choose one");
  const kind = kindOf(host);
  if (kind === undefined) return refuse("its host is no +, no *, no name and no IP address");
  return { scheme, host, kind, port, path, text: `${scheme}://${host}:${port}${path}` };
}

function kindOf(host: string): UrlPrefix["kind"] | undefined {
  if (host === "+") return "strong wildcard";
  if (host === "*") return "weak wildcard";
  if (host.startsWith("[")) return isIP(host.slice(1, -1)) === 6 && !host.includes("%") ? "address" : undefined;
  if (isIP(host) === 4) return "address";
  if (/^[\d.]+$/.test(host) || host.length > 255) return undefined;
  return /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/.test(host) ? "name" : undefined;
}
