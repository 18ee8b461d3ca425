/**
 * A front server on HTTP.sys. 1. Listening opens a queue and registers URL prefixes. 2. A few receives wait for requests; each
 * becomes an exchange. 3. Closing takes the URLs back, lets exchanges end, cuts those that do not, and closes everything.
 */
import { isIPv6, type AddressInfo } from "node:net";
import {
  BadRequestError, ConnectionBudget, HeaderList, defaultServerLimits,
  type FrontServer, type FrontServerOptions, type ListenAddress, type ServerLimits,
} from "@proxy/http";
import { featureId } from "../abi/constants.ts";
import { loadHttpSys, type HttpSysLibrary } from "../binding.ts";
import type { DecodedRequest } from "../decode-request.ts";
import type { DelegationSource } from "../delegation-calls.ts";
import type { ConnectionId } from "../handles.ts";
import { startListening, type Listening } from "../listening.ts";
import type { HttpSysTimeouts, Verbosity503 } from "../properties.ts";
import type { RequestQueueOptions } from "../request-queue.ts";
import { delegationCalls } from "../system-delegation.ts";
import { parseUrlPrefix } from "../url-prefix.ts";
import { HttpSysConnection } from "./connection.ts";
import { HttpSysExchange } from "./httpsys-exchange.ts";
import { Receiver } from "./receiver.ts";
import { requestHead } from "./request-head.ts";

export interface HttpSysServerOptions extends FrontServerOptions {
  /** The library with the HTTP Server API. Default `httpapi.dll`. */
  readonly libraryPath?: string | undefined;
  /** An opened library, instead of a path. */
  readonly library?: HttpSysLibrary | undefined;
  /** What to register. Default: one prefix for the address given to `listen`. */
  readonly prefixes?: readonly string[] | undefined;
  /** Default: a queue without a name, of this process alone. */
  readonly queue?: RequestQueueOptions | undefined;
  /** Default: those of `limits` that HTTP.sys can keep (keep-alive, head timeout, minimum response rate), where given. */
  readonly timeouts?: HttpSysTimeouts | undefined;
  readonly queueLength?: number | undefined;
  readonly verbosity503?: Verbosity503 | undefined;
  /** Scheme of the prefix made by `listen`. The certificate belongs to the machine: `netsh http add sslcert`. Default http. */
  readonly scheme?: "http" | "https" | undefined;
  /** Receives that wait at a time. Default 16. */
  readonly receives?: number | undefined;
  /** Milliseconds between attempts to register what another process of the same queue had registered. Default 1000. */
  readonly takeOverInterval?: number | undefined;
}

export interface HttpSysServer extends FrontServer {
  /** While listening: where requests are delegated from. */
  readonly delegationSource: DelegationSource | undefined;
}

/**
 * Makes a server on HTTP.sys. `listen` rejects with `HttpSysUnavailableError` where there is none, and with `HttpSysError`, whose
 * hint tells what to do, when HTTP.sys refuses. Port 0 is refused: HTTP.sys cannot choose one. `connectionCount` counts
 * connections that requests have come on.
 */
export function createHttpSysServer(options: HttpSysServerOptions): HttpSysServer {
  return new Server(options);
}

const defaultGracePeriod = 30_000;
const defaultReceives = 16;
const defaultTakeOverInterval = 1000;

class Server implements HttpSysServer {
  readonly #options: HttpSysServerOptions;
  readonly #limits: ServerLimits;
  readonly #budget: ConnectionBudget;
  readonly #connections = new Map<ConnectionId, HttpSysConnection>();
  readonly #exchanges = new Set<HttpSysExchange>();
  #listening: Listening | undefined;
  readonly #receivers = new Set<Receiver>();
  #delegation: DelegationSource | undefined;
  #sendsTrailers = false;
  #starting = false;
  #closing = false;
  /** Calls of `close` that wait. */
  #waiting: (() => void)[] = [];

  constructor(options: HttpSysServerOptions) {
    if (options.proxyProtocol !== undefined) throw new TypeError("HTTP.sys does not read PROXY headers");
    this.#options = options;
    this.#limits = { ...defaultServerLimits, ...options.limits };
    this.#budget = options.budget ?? new ConnectionBudget();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get delegationSource(): DelegationSource | undefined {
    return this.#delegation;
  }

  async listen(at: ListenAddress): Promise<AddressInfo> {
    if (this.#listening !== undefined || this.#starting) throw new Error("the server listens already");
    const { prefixes, queue, scheme = "http", limits } = this.#options;
    const parsed = (prefixes ?? [prefixOf(scheme, at)]).map(parseUrlPrefix);
    const library = this.#options.library ?? (await this.#load());
    if (this.#closing) throw new Error("the server was closed before it listened");
    const listening = startListening(library, {
      prefixes: parsed,
      queue,
      timeouts: this.#options.timeouts ?? timeoutsOf(limits),
      connectionLimit: limits?.maxConcurrentConnections,
      queueLength: this.#options.queueLength,
      verbosity503: this.#options.verbosity503,
    });
    this.#listening = listening;
    this.#sendsTrailers = (library.find("HttpIsFeatureSupported")?.(featureId.HttpFeatureResponseTrailers) ?? 0) !== 0;
    const calls = delegationCalls(library);
    if (calls.unsupported === undefined) this.#delegation = { calls, queue: listening.queue, urlGroup: listening.urlGroup };
    const owner = {
      received: (request: DecodedRequest) => this.#received(listening, request),
      fault: (error: Error) => this.#fault(error, 0),
      ended: (receiver: Receiver) => {
        this.#receivers.delete(receiver);
        this.#changed();
      },
    };
    this.#takeOverLater(listening);
    for (let i = 0; i < (this.#options.receives ?? defaultReceives); i++) this.#receivers.add(new Receiver(listening, owner));
    const host = at.host ?? "::";
    return { address: host, port: at.port, family: isIPv6(host) ? "IPv6" : "IPv4" };
  }

  async #load(): Promise<HttpSysLibrary> {
    this.#starting = true;
    try {
      return await loadHttpSys({ path: this.#options.libraryPath });
    } finally {
      this.#starting = false;
    }
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    this.#closing = true;
    const listening = this.#listening;
    if (listening === undefined) return;
    for (const receiver of this.#receivers) receiver.stop();
    listening.shutDown();
    for (const { tunnel } of this.#exchanges) tunnel?.shutDown();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      for (const exchange of this.#exchanges) exchange.cut();
      this.#changed();
    }, gracePeriod);
    // What was received before the shut-down may not have been told yet: closing the queue now would lose it.
    await this.#until(() => this.#exchanges.size === 0 && (late || this.#receivers.size === 0));
    clearTimeout(timer);
    this.#delegation = undefined;
    listening.close();
    await this.#until(() => this.#connections.size === 0);
  }

  /** HTTP.sys does not tell when another process of the queue is gone, and its URLs with it. */
  #takeOverLater(listening: Listening): void {
    if (listening.createdQueue) return;
    let told: string | undefined;
    const timer = setInterval(() => {
      try {
        if (listening.takeOver() > 0) return;
      } catch (error) {
        // Each time anew, but not told each time.
        const { message } = error as Error;
        if (message !== told) this.#fault(error as Error, 0);
        told = message;
        return;
      }
      clearInterval(timer);
    }, this.#options.takeOverInterval ?? defaultTakeOverInterval);
    timer.unref();
  }

  /** Woken whenever an exchange or a connection ends. */
  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #changed(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #received(listening: Listening, decoded: DecodedRequest): void {
    const connection = this.#connectionOf(listening, decoded);
    connection.requests++;
    let exchange: HttpSysExchange;
    try {
      const head = requestHead(decoded, this.#limits);
      exchange = this.#exchangeOf(listening, connection, decoded, head);
    } catch (error) {
      this.#refuse(listening, connection, decoded, error);
      return;
    }
    this.#handle(exchange);
  }

  #connectionOf(listening: Listening, decoded: DecodedRequest): HttpSysConnection {
    const known = this.#connections.get(decoded.connectionId);
    if (known !== undefined) return known;
    const connection = new HttpSysConnection(listening, decoded, (closed) => {
      this.#connections.delete(closed.id);
      if (closed.upgraded) this.#budget.freeUpgraded();
      else this.#budget.freeOpen();
      this.#changed();
    });
    this.#connections.set(decoded.connectionId, connection);
    this.#budget.takeOpen();
    return connection;
  }

  #exchangeOf(listening: Listening, connection: HttpSysConnection, decoded: DecodedRequest, head: ReturnType<typeof requestHead>): HttpSysExchange {
    const { library, completions, queue } = listening;
    const limits = this.#limits;
    const exchange = new HttpSysExchange(head, {
      handle: { library, completions, queue, id: decoded.requestId },
      info: connection.info,
      clientCertificate: connection.clientCertificate,
      delegationSource: this.#delegation,
      sendsTrailers: this.#sendsTrailers,
      maxRequestBodySize: limits.maxRequestBodySize,
      bufferSize: limits.maxResponseBufferSize,
      hasBytes: decoded.hasBody,
      closes: () => this.#closing || connection.requests >= (limits.maxRequestsPerConnection ?? Infinity),
      mayUpgrade: () => this.#budget.upgraded < (limits.maxConcurrentUpgradedConnections ?? Infinity),
      upgraded: () => {
        connection.upgraded = true;
        this.#budget.freeOpen();
        this.#budget.takeUpgraded();
      },
      isClosing: () => this.#closing,
      fault: (error) => this.#fault(error, connection.info.id),
      over: (ended) => {
        this.#exchanges.delete(ended);
        connection.exchanges.delete(ended);
        this.#changed();
      },
    });
    this.#exchanges.add(exchange);
    connection.exchanges.add(exchange);
    return exchange;
  }

  #handle(exchange: HttpSysExchange): void {
    try {
      const done = this.#options.handler(exchange);
      if (done !== undefined) done.then(undefined, (error: unknown) => this.#failed(exchange, error));
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #failed(exchange: HttpSysExchange, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error("the handler failed", { cause: thrown });
    this.#fault(error, exchange.connection.id);
    const { response } = exchange;
    if (response.ended) return;
    if (response.started) response.abort(error);
    else response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }

  /** A request that HTTP.sys let through and that is not served. */
  #refuse(listening: Listening, connection: HttpSysConnection, decoded: DecodedRequest, thrown: unknown): void {
    const error = thrown instanceof BadRequestError ? thrown : new BadRequestError(500, "INTERNAL", "the request could not be read", { cause: thrown });
    const head = { method: "GET", target: "/", path: "/", query: "", scheme: "http", authority: "", httpVersion: decoded.version, headers: HeaderList.from([["Connection", "close"]]) } as const;
    this.#fault(error, connection.info.id);
    this.#exchangeOf(listening, connection, decoded, head).response.send({ status: error.status, headers: new HeaderList() });
  }

  #fault(error: Error, connectionId: number): void {
    this.#options.onFault?.(error, connectionId);
  }
}

function prefixOf(scheme: string, { host, port }: ListenAddress): string {
  const isAll = host === undefined || host === "0.0.0.0" || host === "::" || host === "*";
  const name = isAll ? "+" : isIPv6(host) ? `[${host}]` : host;
  return `${scheme}://${name}:${port}/`;
}

/** The limits that HTTP.sys can keep, in its whole seconds; the others stay its own. */
function timeoutsOf(limits: Partial<ServerLimits> | undefined): HttpSysTimeouts | undefined {
  if (limits === undefined) return undefined;
  const seconds = (milliseconds: number | undefined): number | undefined =>
    milliseconds === undefined ? undefined : Math.min(65_535, Math.max(1, Math.ceil(milliseconds / 1000)));
  const { keepAliveTimeout, requestHeadersTimeout, minResponseDataRate } = limits;
  return {
    idleConnection: seconds(keepAliveTimeout),
    headerWait: seconds(requestHeadersTimeout),
    minSendRate: minResponseDataRate === undefined ? undefined : Math.max(1, Math.round(minResponseDataRate.bytesPerSecond)),
  };
}
