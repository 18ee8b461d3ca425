import { isIP } from "node:net";
import type {
  DestinationOrigin,
  HttpClient,
  HttpClientOptions,
} from "../../destination-client.ts";
import { TimerWheel } from "../timer-wheel.ts";
import { DestinationTls } from "../../tls/destination-tls.ts";
import { type ConnectionMeans, EngineDestination } from "./engine-destination.ts";
import type { PoolOptions } from "./pool-options.ts";
import { prepareWebProxy, type WebProxy } from "./web-proxy.ts";

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
 * open. Throws when what `tls` holds cannot be used, the web proxy has no http address, or `localAddress` is no IP address.
 */
export function createEngineClient(options: EngineClientOptions = {}): HttpClient {
  return new EngineClient(options);
}

/**
 * Destinations are held weakly, so that addresses that come and go leave nothing behind: one lives as long as
 * somebody holds it, or a socket of it is open, which is also when it has calls waiting. Until then it is the same one.
 */
export class EngineClient implements HttpClient {
  readonly #destinations = new Map<string, WeakRef<EngineDestination>>();
  readonly #forgotten = new FinalizationRegistry<string>((key) => {
    if (this.#destinations.get(key)?.deref() === undefined) this.#destinations.delete(key);
  });
  readonly #options: PoolOptions;
  readonly #tls: DestinationTls;
  readonly #lookup: EngineClientOptions["lookup"];
  readonly #localAddress: string | undefined;
  readonly #proxy: WebProxy | undefined;
  readonly #wheel: TimerWheel;
  #closing = false;

  readonly #prewarms: (origin: DestinationOrigin) => boolean;

  /** `prewarms` says for which origins connections are opened ahead. */
  constructor(options: EngineClientOptions, prewarms: (origin: DestinationOrigin) => boolean = () => true) {
    this.#prewarms = prewarms;
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
    this.#tls = options.tls instanceof DestinationTls ? options.tls : new DestinationTls(options.tls);
    this.#lookup = options.lookup;
    this.#localAddress = options.localAddress;
    if (options.localAddress !== undefined && isIP(options.localAddress) === 0) throw new TypeError("localAddress is no IP address");
    this.#proxy = options.webProxy === undefined ? undefined : prepareWebProxy(options.webProxy);
    this.#wheel = new TimerWheel({ now: options.now, interval: options.timerInterval });
  }

  destination(origin: DestinationOrigin): EngineDestination {
    const { scheme, host, port } = origin;
    const tls = scheme === "https" ? this.#tls : undefined;
    // In cleartext nobody is asked for a name.
    const serverName = tls === undefined || origin.serverName === undefined ? undefined : origin.serverName.toLowerCase();
    const own: DestinationOrigin = { scheme, host, port, serverName };
    const key = `${scheme}://${host.toLowerCase()} ${port} ${serverName ?? ""}`;
    const proxy = this.#proxy === undefined || this.#proxy.bypasses(host) ? undefined : this.#proxy;
    const means: ConnectionMeans = { tls, lookup: this.#lookup, localAddress: this.#localAddress, proxy };
    if (proxy === undefined || tls !== undefined) return this.#held(key, own, means);
    return this.#held(key, own, { ...means, upgrades: this.#held(`${key} tunnels`, own, means) });
  }

  #held(key: string, origin: DestinationOrigin, means: ConnectionMeans): EngineDestination {
    const known = this.#destinations.get(key)?.deref();
    if (known !== undefined) return known;
    const created = new EngineDestination(origin, this.#options, means, this.#wheel);
    this.#destinations.set(key, new WeakRef(created));
    this.#forgotten.register(created, key);
    if (this.#closing) void created.close();
    else if (!key.endsWith(" tunnels") && this.#prewarms(origin)) created.prewarm();
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
