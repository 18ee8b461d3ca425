import type { FrontServer } from "@proxy/http";
import { displayUrl } from "./listen-url.ts";
import type { ListenUrl } from "./listen-url.ts";

/** Servers that accept, one or two for each address. */
export interface OpenListeners {
  /** One for each address, with the real port. */
  readonly urls: readonly string[];
  /** Connections open now. */
  connectionCount(): number;
  /** Stops accepting, lets requests under way finish for up to `gracePeriod` milliseconds, then cuts the rest. */
  close(gracePeriod: number): Promise<void>;
}

/** An address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`cannot listen on ${url}: ${reason(cause)}`, { cause });
    this.url = url;
  }
}

/**
 * Listens on all of `addresses`, or on none: when one cannot be had, those that could are closed again.
 * Rejects with `ListenError`. `byName`: servers take `localhost` as it is, not as its two addresses.
 */
export async function openListeners<Address extends ListenUrl>(
  addresses: readonly Address[],
  createServer: (address: Address) => FrontServer,
  { byName = false }: { readonly byName?: boolean | undefined } = {},
): Promise<OpenListeners> {
  const servers: FrontServer[] = [];
  const urls: string[] = [];
  const close = async (gracePeriod: number): Promise<void> => {
    await Promise.all(servers.map((server) => server.close(gracePeriod)));
  };
  const binder = (address: Address): Bind => async (host, port) => {
    const server = createServer(address);
    const bound = await server.listen({ host, port });
    servers.push(server);
    return bound;
  };
  for (const address of addresses) {
    const bind = binder(address);
    try {
      urls.push(address.host === "localhost" && !byName ? await bindLocalhost(address, bind) : await bindOne(address, bind));
    } catch (error) {
      await close(0);
      throw new ListenError(address.text, error);
    }
  }
  return {
    urls,
    connectionCount: () => servers.reduce((sum, server) => sum + server.connectionCount, 0),
    close,
  };
}

type Bind = (host: string | undefined, port: number) => Promise<{ address: string; port: number }>;

async function bindOne(address: ListenUrl, bind: Bind): Promise<string> {
  const bound = await bind(address.host, address.port);
  // A wildcard is shown as the address that it became, which a client on this machine can connect to.
  return displayUrl(address.host ?? bound.address, bound.port, address.secure);
}

/** Both loopback addresses, as names resolve differently from one machine to the next; IPv6 only where there is any. */
async function bindLocalhost(address: ListenUrl, bind: Bind): Promise<string> {
  const { port } = await bind("127.0.0.1", address.port);
  try {
    await bind("::1", port);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const withoutIpv6 = code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
    // A free port on IPv4 may be taken on IPv6; with a port of its own choice the gateway makes do with one.
    if (!withoutIpv6 && address.port !== 0) throw error;
  }
  return displayUrl("localhost", port, address.secure);
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code) {
    case "EADDRINUSE":
      return "the address is in use by another process";
    case "EACCES":
      return "no permission; ports below 1024 need a privilege (on Linux CAP_NET_BIND_SERVICE)";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name is not known";
    default:
      return message;
  }
}
