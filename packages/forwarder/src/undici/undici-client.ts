import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { DestinationTls, type DestinationClient, type DestinationOrigin, type HttpClient, type HttpClientOptions } from "@proxy/http";
import { buildConnector, Pool } from "undici";
import { connectionOf } from "./undici-connection.ts";
import { UndiciDestination } from "./undici-destination.ts";

const defaultConnectTimeout = 15_000;
const defaultIdleTimeout = 60_000;
const defaultMaxResponseHeadersSize = 65_536;

/**
 * Clients over undici's `Pool`, HTTP/1.1. Limits that are undici's: trailers of requests are not sent; a 100 that
 * was not asked for breaks the connection, so `expectContinue` sends the body at once; the head of a request
 * leaves with the first bytes of its body; `OPTIONS *` cannot be sent; a request that waits for a connection and
 * is given up stays in the queue until its turn. Throws for a `webProxy`, which it does not know.
 */
export function createUndiciClient(options: HttpClientOptions = {}): HttpClient {
  if (options.webProxy !== undefined) throw new TypeError("the clients over undici know no web proxy");
  return new UndiciClient(options);
}

/** Destinations are held weakly, so that addresses that come and go leave nothing behind; see `UndiciDestination`. */
class UndiciClient implements HttpClient {
  readonly #options: HttpClientOptions;
  readonly #destinations = new Map<string, WeakRef<UndiciDestination>>();
  readonly #inUse = new Set<UndiciDestination>();
  readonly #forgotten = new FinalizationRegistry<string>((address) => {
    if (this.#destinations.get(address)?.deref() === undefined) this.#destinations.delete(address);
  });

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    const host = origin.host.includes(":") ? `[${origin.host}]` : origin.host;
    const address = `${origin.scheme}://${host}:${origin.port}`;
    const key = origin.serverName === undefined ? address : `${address} ${origin.serverName}`;
    const known = this.#destinations.get(key)?.deref();
    if (known !== undefined) return known;
    const pool = createPool(address, origin, this.#options);
    const created = new UndiciDestination(pool, origin, this.#options, this.#inUse);
    this.#destinations.set(key, new WeakRef(created));
    this.#forgotten.register(created, key);
    return created;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#destinations.values(), (held) => held.deref()?.close()));
  }

  destroy(cause?: Error): void {
    for (const held of this.#destinations.values()) held.deref()?.destroy(cause);
  }
}

function createPool(address: string, origin: DestinationOrigin, options: HttpClientOptions): Pool {
  const tls = options.tls instanceof DestinationTls ? options.tls : new DestinationTls(options.tls);
  // undici would take the name for SNI from the Host field. An address has no SNI (RFC 6066, 3).
  const name = tls.options.serverName ?? origin.serverName ?? origin.host;
  const servername = isIP(name) === 0 ? name : "";
  const connector = (): buildConnector.connector =>
    buildConnector({
      timeout: options.connectTimeout ?? defaultConnectTimeout,
      allowH2: false,
      // A tunnel's half-close is passed on; requests never see it, a connection that ends is destroyed.
      allowHalfOpen: true,
      autoSelectFamily: true,
      secureContext: tls.context,
      checkServerIdentity: (...[, certificate]: Parameters<typeof checkServerIdentity>) => checkServerIdentity(name, certificate),
      ...(tls.options.acceptAnyCertificate === true && { rejectUnauthorized: false }),
      ...(options.lookup !== undefined && { lookup: options.lookup }),
      ...(options.localAddress !== undefined && { localAddress: options.localAddress, family: isIP(options.localAddress) }),
    } as buildConnector.BuildOptions);
  let { generation } = tls;
  let connect = connector();
  const idleTimeout = options.idleTimeout ?? defaultIdleTimeout;
  return new Pool(address, {
    connect: (target, callback) => {
      if (generation !== tls.generation) {
        generation = tls.generation;
        connect = connector();
      }
      connect({ ...target, servername }, callback);
    },
    factory: connectionOf,
    connections: options.maxConnections ?? null,
    pipelining: 1,
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idleTimeout,
    keepAliveMaxTimeout: idleTimeout,
    maxHeaderSize: options.maxResponseHeadersSize ?? defaultMaxResponseHeadersSize,
    ...(options.connectionLifetime !== undefined && { clientTtl: options.connectionLifetime }),
  });
}
