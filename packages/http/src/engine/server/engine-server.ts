import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { ConnectionBudget } from "../../connection-budget.ts";
import type { ConnectionInfo, TlsInfo } from "../../exchange.ts";
import type { FrontServer, FrontServerOptions, ListenAddress } from "../../front-server.ts";
import { nextConnectionId } from "../../node/connection-info.ts";
import { defaultServerLimits, type ServerLimits } from "../../server-limits.ts";
import { TimerWheel } from "../timer-wheel.ts";
import { readBuffers } from "../read-buffers.ts";
import { Connection } from "./connection.ts";
import type { AdoptedConnection, ConnectionLender } from "./connection-lender.ts";
import { EngineConnectionInfo } from "./connection-info.ts";
import { RequestParser } from "./request-parser.ts";
import { ProxyProtocolGate } from "../../proxy-protocol/proxy-protocol-gate.ts";
import type { ProxiedAddresses } from "../../proxy-protocol/proxy-header.ts";
import { reuseReads } from "./reused-reads.ts";
import type { ServerContext } from "./server-context.ts";

export interface EngineServerOptions extends FrontServerOptions {
  /** Milliseconds between two looks at the deadlines of all connections. Default 250. */
  readonly timerInterval?: number | undefined;
  /**
   * Reads all connections into one piece of memory: a quarter less CPU per small request, by way of parts of Node's
   * sockets that are not documented. Where they are missing, or with false, the "data" event is used. Default true.
   */
  readonly reuseReadMemory?: boolean | undefined;
}

/** A front server that also serves connections which somebody else accepted. */
export interface AdoptingServer extends FrontServer {
  /**
   * Serves `socket`: cleartext, made with `allowHalfOpen`, `bytes` read from it already. With a lender the connection is given back
   * between any two requests. A server that is full, or closing where nothing came yet, closes the socket: undefined.
   */
  adoptConnection(socket: Socket, bytes: Buffer, lender?: ConnectionLender): AdoptedConnection | undefined;
}

/** Time for requests under way when `close` is not given one: Kestrel's. */
const defaultGracePeriod = 30_000;

const connectionOf = Symbol("connection");

interface OwnedSocket extends Socket {
  [connectionOf]?: Connection;
}

/**
 * A front server for cleartext HTTP/1.0 and 1.1: our own engine on `node:net`, without Node's HTTP objects.
 * Strict: whatever is unclear about a request is refused and its connection closed.
 */
export function createEngineServer(options: EngineServerOptions): AdoptingServer {
  return new EngineServer(options, "http");
}

/** The engine behind a front server: listens itself, or adopts the sockets that somebody else accepted. */
export class EngineServer implements AdoptingServer {
  readonly #connections = new Set<Connection>();
  readonly #context: ServerContext;
  readonly #server: Server;
  readonly #readMemory: Buffer | undefined;
  readonly #gate: ProxyProtocolGate | undefined;
  /** Told when the last connection is gone, while the server closes. */
  #emptied: (() => void) | undefined;

  constructor(options: EngineServerOptions, scheme: "http" | "https") {
    const limits: ServerLimits = withDefaults(options.limits);
    const budget = options.budget ?? new ConnectionBudget();
    this.#context = {
      handler: options.handler,
      limits,
      wheel: new TimerWheel({ now: options.now, interval: options.timerInterval }),
      parser: new RequestParser(limits, scheme),
      onFault: options.onFault ?? (() => undefined),
      budget,
      closing: false,
      connectionClosed: (connection) => {
        if (connection.upgraded) budget.freeUpgraded();
        else budget.freeOpen();
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#emptied?.();
      },
    };
    this.#readMemory = options.reuseReadMemory !== false ? readBuffers.shared : undefined;
    this.#server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: limits.maxResponseBufferSize,
    });
    const gate =
      options.proxyProtocol === undefined
        ? undefined
        : new ProxyProtocolGate({
            ...options.proxyProtocol,
            budget,
            maximum: limits.maxConcurrentConnections ?? Infinity,
            onFault: (error) => this.#context.onFault(error, 0),
            deliver: (socket, addresses) => this.adopt(socket, undefined, addresses),
          });
    this.#gate = gate;
    this.#server.on("connection", (socket) => (gate === undefined ? this.adopt(socket, undefined) : gate.accept(socket)));
    this.#server.on("error", (error) => this.#context.onFault(error, 0));
  }

  async listen(at: ListenAddress): Promise<AddressInfo> {
    const listening = once(this.#server, "listening");
    this.#server.listen({ port: at.port, host: at.host });
    await listening;
    return this.#server.address() as AddressInfo;
  }

  get connectionCount(): number {
    return this.#connections.size + (this.#gate?.waiting ?? 0);
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    const context = this.#context;
    context.closing = true;
    this.#gate?.close();
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    // The listener of a server may hear of its end before the last connection has told of its own.
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
      if (this.#connections.size === 0) resolve();
    });
    for (const connection of this.#connections) connection.shutDown();
    const cut = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, gracePeriod);
    await Promise.all([stopped, emptied]);
    clearTimeout(cut);
  }

  /** Serves `socket`, which must be half-open (`allowHalfOpen`) and over its TLS handshake; `proxied`: what a proxy in front says of it. */
  adopt(socket: Socket, tls: TlsInfo | undefined, proxied?: ProxiedAddresses | undefined): void {
    const id = nextConnectionId();
    const info: ConnectionInfo = proxied === undefined ? new EngineConnectionInfo(id, socket, tls) : { id, ...proxied, tls };
    this.#take(socket, info, tls);
  }

  adoptConnection(socket: Socket, bytes: Buffer, lender?: ConnectionLender): AdoptedConnection | undefined {
    // One that brings a request was given away by somebody who does not answer it any more.
    if (this.#context.closing && bytes.length === 0) {
      socket.on("error", ignore);
      socket.destroy();
      return undefined;
    }
    const connection = this.#take(socket, new EngineConnectionInfo(nextConnectionId(), socket, undefined), undefined, lender);
    connection?.continueWith(bytes);
    return connection;
  }

  /** Undefined when the socket was closed instead. */
  #take(socket: Socket, info: ConnectionInfo, tls: TlsInfo | undefined, lender?: ConnectionLender): Connection | undefined {
    const { limits, budget } = this.#context;
    if (limits.maxConcurrentConnections !== undefined && budget.open >= limits.maxConcurrentConnections) {
      socket.on("error", ignore);
      socket.destroy();
      return undefined;
    }
    const connection = new Connection(this.#context, socket, info, lender);
    (socket as OwnedSocket)[connectionOf] = connection;
    this.#connections.add(connection);
    budget.takeOpen();
    // Node's TLS wrap does not bear a foreign read buffer: it has its own.
    const memory = tls === undefined ? this.#readMemory : undefined;
    if (memory === undefined || !reuseReads(socket, memory, (count) => connection.lent(memory, count))) {
      socket.on("data", onData);
    }
    socket.on("end", onEnd);
    socket.on("drain", onDrain);
    socket.on("error", onError);
    socket.on("close", onClose);
    return connection;
  }
}

// Shared by all sockets: a connection has no closures of its own.

function onData(this: OwnedSocket, chunk: Buffer): void {
  (this[connectionOf] as Connection).data(chunk);
}

function onEnd(this: OwnedSocket): void {
  (this[connectionOf] as Connection).ended();
}

function onDrain(this: OwnedSocket): void {
  (this[connectionOf] as Connection).drained();
}

function onError(this: OwnedSocket, error: Error): void {
  (this[connectionOf] as Connection).failed(error);
}

function onClose(this: OwnedSocket): void {
  (this[connectionOf] as Connection).closed();
}

function ignore(): void {}

/** An explicit undefined means unlimited for the limits that may be so, and the default for the others. */
function withDefaults(given: Partial<ServerLimits> | undefined): ServerLimits {
  const limits: Record<string, unknown> = { ...defaultServerLimits };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value !== undefined || mayBeUnlimited.has(name)) limits[name] = value;
  }
  return limits as unknown as ServerLimits;
}

const mayBeUnlimited: ReadonlySet<string> = new Set<keyof ServerLimits>([
  "maxRequestBodySize", "minRequestBodyDataRate", "minResponseDataRate", "maxConcurrentConnections",
  "maxConcurrentUpgradedConnections", "maxRequestsPerConnection",
]);
