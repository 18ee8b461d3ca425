import type {
  DestinationClient,
  DestinationOrigin,
  HttpClient,
  HttpClientOptions,
} from "../../destination-client.ts";
import { TimerWheel } from "../timer-wheel.ts";
import { EngineDestination, type PoolOptions } from "./engine-destination.ts";
import { type PreparedTls, prepareTls } from "./open-socket.ts";

export interface EngineClientOptions extends HttpClientOptions {
  /** Milliseconds, monotonic. Injected by tests. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds between two looks at all deadlines: timeouts pass up to twice that late. Default 250. */
  readonly timerInterval?: number | undefined;
}

/**
 * An HTTP/1.1 client of the engine: a pool of connections per origin, cleartext and TLS, strict in what it reads
 * (RFC 9110 and 9112), one request at a time on a connection. Timeouts are coarse: they pass up to two
 * `timerInterval`s late, never early. Connections that have been idle for two `timerInterval`s do not hold the process
 * open. Throws when certificate, key or versions in `tls` are malformed.
 */
export function createEngineClient(options: EngineClientOptions = {}): HttpClient {
  return new EngineClient(options);
}

/**
 * Destinations are held weakly, so that addresses that come and go leave nothing behind: one lives as long as
 * somebody holds it, or a socket of it is open, which is also when it has calls waiting. Until then it is the same one.
 */
class EngineClient implements HttpClient {
  readonly #destinations = new Map<string, WeakRef<EngineDestination>>();
  readonly #forgotten = new FinalizationRegistry<string>((key) => {
    if (this.#destinations.get(key)?.deref() === undefined) this.#destinations.delete(key);
  });
  readonly #options: PoolOptions;
  readonly #tls: PreparedTls;
  readonly #wheel: TimerWheel;
  #closing = false;

  constructor(options: EngineClientOptions) {
    this.#options = {
      maxConnections: options.maxConnections ?? Infinity,
      maxQueuedRequests: options.maxQueuedRequests ?? Infinity,
      queueTimeout: options.queueTimeout ?? Infinity,
      connectTimeout: options.connectTimeout ?? 15_000,
      idleTimeout: options.idleTimeout ?? 60_000,
      connectionLifetime: options.connectionLifetime ?? Infinity,
      maxResponseHeadersSize: options.maxResponseHeadersSize ?? 65_536,
      prewarm: options.prewarm ?? 0,
    };
    this.#tls = prepareTls(options.tls ?? {});
    this.#wheel = new TimerWheel({ now: options.now, interval: options.timerInterval });
  }

  destination(origin: DestinationOrigin): DestinationClient {
    const { scheme, host, port } = origin;
    const key = `${scheme}://${host.toLowerCase()} ${port}`;
    const known = this.#destinations.get(key)?.deref();
    if (known !== undefined) return known;
    const tls = scheme === "https" ? this.#tls : undefined;
    const created = new EngineDestination({ scheme, host, port }, this.#options, tls, this.#wheel);
    this.#destinations.set(key, new WeakRef(created));
    this.#forgotten.register(created, key);
    if (this.#closing) void created.close();
    else created.prewarm();
    return created;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(Array.from(this.#destinations.values(), (held) => held.deref()?.close()));
  }

  destroy(cause?: Error): void {
    this.#closing = true;
    for (const held of this.#destinations.values()) held.deref()?.destroy(cause);
  }
}
