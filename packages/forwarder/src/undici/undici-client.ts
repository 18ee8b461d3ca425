import { isIP } from "node:net";
import type { DestinationClient, DestinationOrigin, HttpClient, HttpClientOptions } from "@proxy/http";
import { buildConnector, Pool } from "undici";
import { UndiciDestination } from "./undici-destination.ts";

const defaultConnectTimeout = 15_000;
const defaultIdleTimeout = 60_000;
const defaultMaxResponseHeadersSize = 65_536;

/**
 * Clients over undici's `Pool`, HTTP/1.1. Limits that are undici's: trailers of requests are not sent; a 100 that
 * was not asked for breaks the connection, so `expectContinue` sends the body at once; the head of a request
 * leaves with the first bytes of its body; `OPTIONS *` cannot be sent; a request that waits for a connection and
 * is given up stays in the queue until its turn.
 */
export function createUndiciClient(options: HttpClientOptions = {}): HttpClient {
  return new UndiciClient(options);
}

class UndiciClient implements HttpClient {
  readonly #options: HttpClientOptions;
  readonly #destinations = new Map<string, UndiciDestination>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  destination(origin: DestinationOrigin): DestinationClient {
    const host = origin.host.includes(":") ? `[${origin.host}]` : origin.host;
    const address = `${origin.scheme}://${host}:${origin.port}`;
    let destination = this.#destinations.get(address);
    if (destination === undefined) {
      destination = new UndiciDestination(createPool(address, origin, this.#options), origin, this.#options);
      this.#destinations.set(address, destination);
    }
    return destination;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#destinations.values(), (destination) => destination.close()));
  }

  destroy(cause?: Error): void {
    for (const destination of this.#destinations.values()) destination.destroy(cause);
  }
}

function createPool(address: string, origin: DestinationOrigin, options: HttpClientOptions): Pool {
  const { tls } = options;
  const connect = buildConnector({
    timeout: options.connectTimeout ?? defaultConnectTimeout,
    allowH2: false,
    // A tunnel's half-close is passed on; requests never see it, a connection that ends is destroyed.
    allowHalfOpen: true,
    autoSelectFamily: true,
    ...(tls?.acceptAnyCertificate === true && { rejectUnauthorized: false }),
    ...(tls?.minVersion !== undefined && { minVersion: tls.minVersion }),
    ...(tls?.maxVersion !== undefined && { maxVersion: tls.maxVersion }),
    ...(tls?.ca !== undefined && { ca: typeof tls.ca === "string" ? tls.ca : [...tls.ca] }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
  } as buildConnector.BuildOptions);
  // undici would take the name for SNI from the Host field. An address has no SNI (RFC 6066, 3).
  const servername = tls?.serverName ?? (isIP(origin.host) === 0 ? origin.host : "");
  const idleTimeout = options.idleTimeout ?? defaultIdleTimeout;
  return new Pool(address, {
    connect: (target, callback) => connect({ ...target, servername }, callback),
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
