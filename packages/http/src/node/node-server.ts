import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createListener, type AddressInfo, type Server as Listener, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ConnectionBudget } from "../connection-budget.ts";
import { BadRequestError, ClientGoneError } from "../errors.ts";
import type { FrontServer, FrontServerOptions, ListenAddress } from "../front-server.ts";
import { HeaderList } from "../header-list.ts";
import { reasonPhrase } from "../reason-phrase.ts";
import { defaultServerLimits, type ServerLimits } from "../server-limits.ts";
import { asksForUpgrade, upgradeExchange } from "./exchange-from-node.ts";
import { NodeConnection } from "./node-connection.ts";
import { NodeExchange } from "./node-exchange.ts";
import { ProxyProtocolGate } from "../proxy-protocol/proxy-protocol-gate.ts";
import { coarse, RateWatch } from "./rate-watch.ts";
import { readRequestHead } from "./read-request-head.ts";

/**
 * A front server on `node:http`: for embedding, and where its compatibility counts more than speed. Strict: Node's parser
 * without lenient flags, and what it lets through is refused here (see `readRequestHead`).
 *
 * One difference to the engine: a method that Node's parser does not know is a 400.
 */
export function createNodeServer(options: FrontServerOptions): FrontServer {
  return new NodeServer(options);
}

const defaultGracePeriod = 30_000;

class NodeServer implements FrontServer {
  readonly #options: FrontServerOptions;
  readonly #limits: ServerLimits;
  readonly #server: Server;
  readonly #connections = new Set<NodeConnection>();
  readonly #budget: ConnectionBudget;
  readonly #watch: RateWatch;
  readonly #listener: Listener;
  readonly #gate: ProxyProtocolGate | undefined;
  #closing = false;

  constructor(options: FrontServerOptions) {
    this.#options = options;
    const limits = { ...defaultServerLimits, ...options.limits };
    this.#limits = limits;
    this.#budget = options.budget ?? new ConnectionBudget();
    this.#watch = new RateWatch(this.#connections, limits, options.now ?? (() => performance.now()));
    const server = createServer(serverOptions(limits));
    this.#server = server;
    server.maxHeadersCount = 0;
    // A client that half-closed still gets its answer; the watch ends those that only left.
    Object.assign(server, { httpAllowHalfOpen: true });
    const { proxyProtocol } = options;
    if (proxyProtocol === undefined) {
      this.#gate = undefined;
      this.#listener = server;
    } else {
      const gate = new ProxyProtocolGate({
        ...proxyProtocol,
        budget: this.#budget,
        maximum: limits.maxConcurrentConnections ?? Infinity,
        onFault: (error) => this.#fault(error, 0),
        deliver: (socket, addresses) => {
          NodeConnection.of(socket, addresses);
          server.emit("connection", socket);
        },
      });
      this.#gate = gate;
      this.#listener = createListener({ allowHalfOpen: true, noDelay: true, highWaterMark: limits.maxResponseBufferSize });
      this.#listener.on("connection", (socket) => gate.accept(socket));
    }
    server.on("connection", (socket) => this.#onConnection(socket));
    server.on("request", (req, res) => this.#onRequest(req, res));
    server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res));
    server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => {
      const connection = NodeConnection.of(req.socket);
      if (connection.refused) return;
      this.#refuse(connection, req, res, new BadRequestError(417, "UNKNOWN_EXPECTATION", "unknown expectation"));
    });
    server.on("upgrade", (req, socket, head) => this.#onUpgrade(req, socket as Socket, head));
    server.on("connect", (_req, socket) => {
      this.#refuseSocket(socket as Socket, new BadRequestError(501, "CONNECT_NOT_SUPPORTED", "CONNECT is not supported"));
    });
    server.on("clientError", (error, socket) => this.#onClientError(error, socket));
  }

  get connectionCount(): number {
    return this.#connections.size + (this.#gate?.waiting ?? 0);
  }

  listen(at: ListenAddress): Promise<AddressInfo> {
    const server = this.#listener;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: at.port, ...(at.host === undefined ? {} : { host: at.host }) }, () => {
        server.off("error", reject);
        server.on("error", (error) => this.#options.onFault?.(error, 0));
        resolve(server.address() as AddressInfo);
      });
    });
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    this.#closing = true;
    this.#gate?.close();
    const stopped = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve());
      if (this.#gate !== undefined) this.#server.close();
    });
    for (const connection of this.#connections) {
      connection.closing = true;
      connection.serverClosing = true;
      connection.tunnel?.shutDown();
      if (connection.exchanges.size === 0 && !connection.refused) connection.socket.destroySoon();
    }
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.cut();
    }, gracePeriod);
    await stopped;
    // The listening socket is told closed when the last connection is, whose own listeners may run after that.
    while (this.#connections.size > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    clearTimeout(timer);
    this.#watch.stop();
  }

  #onConnection(socket: Socket): void {
    const budget = this.#budget;
    if (budget.open >= (this.#limits.maxConcurrentConnections ?? Infinity)) {
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    const connection = NodeConnection.of(socket);
    connection.closing = this.#closing;
    this.#connections.add(connection);
    budget.takeOpen();
    this.#watch.start();
    socket.on("close", () => {
      this.#connections.delete(connection);
      if (connection.upgraded) budget.freeUpgraded();
      else budget.freeOpen();
      if (this.#connections.size === 0) this.#watch.stop();
    });
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const connection = NodeConnection.of(req.socket);
    const most = this.#limits.maxRequestsPerConnection ?? Infinity;
    if (connection.refused || connection.requests >= most || req.socket.writableEnded) {
      req.resume();
      return;
    }
    const last = ++connection.requests >= most;
    let exchange: NodeExchange;
    try {
      const request = readRequestHead(req, "http", req.url as string, this.#limits);
      exchange = new NodeExchange(connection, req, res, request, { maxRequestBodySize: this.#limits.maxRequestBodySize, last });
    } catch (error) {
      this.#refuse(connection, req, res, error);
      return;
    }
    this.#handle(exchange);
  }

  #onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = NodeConnection.of(socket);
    let exchange: NodeExchange;
    try {
      const request = readRequestHead(req, "http", req.url as string, this.#limits);
      exchange = upgradeExchange(req, socket, head, {
        request,
        maxRequestBodySize: this.#limits.maxRequestBodySize,
        mayUpgrade: () => this.#budget.upgraded < (this.#limits.maxConcurrentUpgradedConnections ?? Infinity),
        onUpgraded: () => this.#onUpgraded(connection),
      });
    } catch (error) {
      this.#refuseSocket(socket, asBadRequest(error));
      return;
    }
    connection.closing = true;
    this.#handle(exchange);
  }

  #onUpgraded(connection: NodeConnection): void {
    // A connection that closed before its upgrade was accepted has freed its place already.
    if (!this.#connections.has(connection)) return;
    this.#budget.freeOpen();
    this.#budget.takeUpgraded();
  }

  #handle(exchange: NodeExchange): void {
    try {
      const done = this.#options.handler(exchange);
      if (done !== undefined) done.then(undefined, (error: unknown) => this.#failed(exchange, error));
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  #failed(exchange: NodeExchange, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error("the handler threw no Error", { cause: thrown });
    const { response } = exchange;
    if (!(error instanceof ClientGoneError)) this.#fault(error, exchange.connection.id);
    if (response.ended) return;
    if (response.started) response.abort(error);
    else response.send({ status: error instanceof BadRequestError ? error.status : 500, headers: new HeaderList() });
  }

  /** Answers in the order of the requests, through Node's queue; what the client sent after it is not read. */
  #refuse(connection: NodeConnection, req: IncomingMessage, res: ServerResponse, thrown: unknown): void {
    const error = asBadRequest(thrown);
    connection.refused = true;
    connection.lingerAtClose();
    res.on("error", () => undefined);
    res.shouldKeepAlive = false;
    res.writeHead(error.status, reasonPhrase(error.status), ["Content-Length", "0"]);
    res.end();
    req.resume();
    this.#fault(error, connection.info.id);
  }

  /** For a socket that Node's server has let go of, or whose bytes it could not read. */
  #refuseSocket(socket: Socket, error: BadRequestError): void {
    const connection = NodeConnection.of(socket);
    connection.refused = true;
    this.#fault(error, connection.info.id);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { status } = error;
    socket.write(
      `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nContent-Length: 0\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n\r\n`,
      "latin1",
    );
    connection.linger();
  }

  #onClientError(error: NodeJS.ErrnoException & { rawPacket?: Buffer }, duplex: Duplex): void {
    const socket = duplex as Socket;
    const connection = NodeConnection.of(socket);
    // Bytes after a last request, or after a refused one: nobody waits for an answer to them.
    if (connection.refused || socket.writableEnded || error.code === "HPE_CLOSED_CONNECTION") return;
    const refusal = parserRefusal(error);
    if (refusal === undefined) {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") this.#fault(error, connection.info.id);
      connection.cut();
      return;
    }
    connection.refused = true;
    let underWay: NodeExchange | undefined;
    for (const exchange of connection.exchanges) underWay = exchange;
    if (underWay === undefined) this.#refuseSocket(socket, refusal);
    else if (underWay.nodeBody?.complete === false) {
      // The body that broke off belongs to the last one; its handler answers.
      this.#fault(refusal, connection.info.id);
      connection.closing = true;
      connection.lingerAtClose();
      underWay.nodeBody.fail(refusal);
    } else connection.refusal = () => this.#refuseSocket(socket, refusal);
  }

  #fault(error: Error, connectionId: number): void {
    this.#options.onFault?.(error, connectionId);
  }
}

function serverOptions(limits: ServerLimits): ServerOptions {
  return {
    insecureHTTPParser: false,
    // Checked by us, so that it is told like every other refusal.
    requireHostHeader: false,
    maxHeaderSize: limits.maxRequestLineSize + limits.maxRequestHeadersTotalSize,
    headersTimeout: limits.requestHeadersTimeout,
    requestTimeout: 0,
    connectionsCheckingInterval: coarse(limits.requestHeadersTimeout),
    keepAliveTimeout: limits.keepAliveTimeout,
    keepAliveTimeoutBuffer: Math.min(1000, limits.keepAliveTimeout),
    highWaterMark: limits.maxResponseBufferSize,
    noDelay: true,
    shouldUpgradeCallback: asksForUpgrade,
  };
}

function asBadRequest(thrown: unknown): BadRequestError {
  if (thrown instanceof BadRequestError) return thrown;
  return new BadRequestError(500, "INTERNAL", "the request could not be read", { cause: thrown });
}

/** What an error of Node's parser is to the client; undefined: the socket failed, nobody is there to answer. */
function parserRefusal(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): BadRequestError | undefined {
  const { code } = error;
  const cause = { cause: error };
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new BadRequestError(408, "REQUEST_HEADERS_TIMEOUT", "the request head took too long", cause);
    case "HPE_HEADER_OVERFLOW":
      return error.rawPacket?.includes("\r\n") === false
        ? new BadRequestError(414, "REQUEST_LINE_TOO_LONG", "request line too long", cause)
        : new BadRequestError(431, "HEADERS_TOO_LARGE", "header lines too large", cause);
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new BadRequestError(413, "CHUNK_EXTENSIONS_TOO_LARGE", "chunk extensions too large", cause);
    case "HPE_INVALID_VERSION":
      return new BadRequestError(505, "UNSUPPORTED_HTTP_VERSION", "unsupported HTTP version", cause);
    // The client's FIN in the middle of a message.
    case "HPE_INVALID_EOF_STATE":
      return undefined;
    default:
      return code?.startsWith("HPE_") === true ? new BadRequestError(400, code, `malformed request (${code})`, cause) : undefined;
  }
}
