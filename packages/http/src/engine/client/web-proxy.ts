/** The way over an outbound web proxy: who it is, what it is told, and which destinations do without it. */
import { hostname, networkInterfaces } from "node:os";
import { isIP } from "node:net";
import type { DestinationOrigin, WebProxyOptions } from "../../destination-client.ts";

export interface WebProxy {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, without credentials. */
  readonly name: string;
  /** Value of Proxy-Authorization. */
  readonly credentials: string | undefined;
  /** Whether `host` is reached without the proxy. */
  bypasses(host: string): boolean;
}

/** @throws {TypeError} which repeats nothing of the address: there may be a password in it. */
export function prepareWebProxy(options: WebProxyOptions): WebProxy {
  if (!URL.canParse(options.address)) throw new TypeError("the address of the web proxy is not an absolute URL");
  const { protocol, hostname: host, port, username, password } = new URL(options.address);
  if (protocol !== "http:") throw new TypeError("the address of the web proxy must begin with http://");
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: port === "" ? 80 : Number(port),
    name: `http://${host}:${port === "" ? "80" : port}`,
    credentials: username === "" && password === "" ? undefined : basic(decoded(username), decoded(password)),
    bypasses: options.bypassOnLocal === true ? isLocalHost : () => false,
  };
}

/** RFC 7617, with UTF-8 as its section 2.1 asks for. */
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As .NET sees it: loopback, an address of this machine, a name without dots, or one in this machine's own domain. */
function isLocalHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (isIP(name) !== 0) {
    if (name.startsWith("127.") || name === "::1") return true;
    return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === name) === true);
  }
  const dot = name.indexOf(".");
  if (dot < 0) return true;
  const own = hostname().toLowerCase();
  const ownDot = own.indexOf(".");
  return ownDot >= 0 && name.slice(dot) === own.slice(ownDot);
}

/** Host and port as CONNECT and Host name them (RFC 9110, 9.3.6). */
export function authorityOf({ host, port }: Pick<DestinationOrigin, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
