/**
 * The front door over TLS. A connection is taken in these steps:
 *
 * 1. accepted and counted; what is beyond the limit is closed before any cryptography;
 * 2. the handshake, within its time: certificate by SNI, protocol by ALPN, client certificate where asked for;
 * 3. handed to the one that owns it from now on: the HTTP/1.1 engine, or HTTP/2.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server as Listener, type Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { ConnectionBudget } from "../connection-budget.ts";
import type { FrontServer, FrontServerOptions, ListenAddress } from "../front-server.ts";
import { EngineServer } from "../engine/server/engine-server.ts";
import { Http2Sessions } from "../engine/http2/http2-sessions.ts";
import type { ProxiedAddresses } from "../proxy-protocol/proxy-header.ts";
import { ProxyProtocolGate } from "../proxy-protocol/proxy-protocol-gate.ts";
import type { FrontTls } from "./front-tls.ts";
import { refuseUncoveredHosts, TlsConnectionInfo } from "./tls-connection-info.ts";

export interface TlsServerOptions extends FrontServerOptions {
  readonly tls: FrontTls;
  /** By ALPN; a client without ALPN speaks HTTP/1.1. Default `["h2", "http/1.1"]`. */
  readonly protocols?: readonly ("h2" | "http/1.1")[] | undefined;
  /** Milliseconds between two looks at the deadlines of all connections. Default 250. */
  readonly timerInterval?: number | undefined;
  /** As for the engine's server. Default true. */
  readonly reuseReadMemory?: boolean | undefined;
}

const defaultGracePeriod = 30_000;

/** A front server over TLS: HTTP/1.1 or HTTP/2 by our engines, as ALPN says. */
export function createTlsServer(options: TlsServerOptions): FrontServer {
  return new TlsServer(options);
}

class TlsServer implements FrontServer {
  readonly #tls: FrontTls;
  readonly #server: Server;
  readonly #engine: EngineServer | undefined;
  readonly #http2: Http2Sessions | undefined;
  readonly #maximum: number;
  readonly #budget: ConnectionBudget;
  /** Connections whose handshake is not over, by the client's address and port. */
  readonly #shaking = new Map<string, Socket>();
  /** Accepts: the server of TLS itself, or one whose connections pass the gate first. */
  readonly #listener: Listener;
  readonly #gate: ProxyProtocolGate | undefined;
  /** What the gate heard of a connection, by the peer's address and port. */
  readonly #proxied = new Map<string, { readonly addresses: ProxiedAddresses | undefined }>();
  #closing = false;

  constructor(options: TlsServerOptions) {
    const { tls, protocols = ["h2", "http/1.1"] } = options;
    const onFault = options.onFault ?? (() => undefined);
    const handler = tls.refuseUncoveredHosts ? refuseUncoveredHosts(options.handler, onFault) : options.handler;
    this.#budget = options.budget ?? new ConnectionBudget();
    const inner = { ...options, handler, budget: this.#budget, proxyProtocol: undefined };
    this.#tls = tls;
    this.#maximum = options.limits?.maxConcurrentConnections ?? Infinity;
    this.#engine = protocols.includes("http/1.1") ? new EngineServer(inner, "https") : undefined;
    this.#http2 = protocols.includes("h2") ? new Http2Sessions(inner, "https") : undefined;
    // Clients of HTTP/1.0 name it, and are served where HTTP/1.1 is.
    this.#server = tls.createServer(protocols.flatMap((name) => (name === "http/1.1" ? [name, "http/1.0"] : [name])));
    const { proxyProtocol } = options;
    if (proxyProtocol === undefined) {
      this.#gate = undefined;
      this.#listener = this.#server;
    } else {
      const gate = new ProxyProtocolGate({
        ...proxyProtocol,
        budget: this.#budget,
        maximum: this.#maximum,
        onFault: (error) => onFault(error, 0),
        deliver: (socket, addresses) => this.#passedGate(socket, addresses),
      });
      this.#gate = gate;
      this.#listener = createServer({ noDelay: true }, (socket) => gate.accept(socket));
      this.#listener.on("error", (error) => onFault(error, 0));
    }
    this.#server.on("connection", (socket: Socket) => this.#connected(socket));
    this.#server.on("secureConnection", (socket) => this.#secured(socket, onFault));
    this.#server.on("tlsClientError", (error, socket) => {
      const { code } = error as NodeJS.ErrnoException;
      onFault(new Error(`the TLS handshake failed: ${code ?? error.message}`, { cause: error }), 0);
      socket.destroy();
    });
    this.#server.on("error", (error) => onFault(error, 0));
  }

  async listen(at: ListenAddress): Promise<AddressInfo> {
    const listening = once(this.#listener, "listening");
    this.#listener.listen({ port: at.port, host: at.host });
    await listening;
    return this.#listener.address() as AddressInfo;
  }

  get connectionCount(): number {
    return (this.#gate?.waiting ?? 0) + this.#shaking.size + (this.#engine?.connectionCount ?? 0) + (this.#http2?.connectionCount ?? 0);
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    this.#closing = true;
    this.#gate?.close();
    const stopped = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve());
    });
    for (const socket of this.#shaking.values()) socket.destroy();
    await Promise.all([stopped, this.#engine?.close(gracePeriod), this.#http2?.close(gracePeriod)]);
    // The listening socket is told closed when the last connection is, whose own listeners may run after that.
    while (this.#shaking.size > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    this.#tls.release(this.#server);
  }

  #passedGate(socket: Socket, addresses: ProxiedAddresses | undefined): void {
    const peer = clientOf(socket);
    const heard = { addresses };
    this.#proxied.set(peer, heard);
    socket.once("close", () => {
      if (this.#proxied.get(peer) === heard) this.#proxied.delete(peer);
    });
    this.#server.emit("connection", socket);
  }

  #connected(socket: Socket): void {
    if (this.#budget.open >= this.#maximum || this.#closing) {
      socket.on("error", ignore);
      socket.destroy();
      return;
    }
    const client = clientOf(socket);
    if (!this.#shaking.has(client)) this.#budget.takeOpen();
    this.#shaking.set(client, socket);
    socket.once("close", () => {
      if (this.#shaking.get(client) === socket) this.#shaken(client);
    });
  }

  #secured(socket: TLSSocket, onFault: (error: Error, connectionId: number) => void): void {
    socket.on("error", ignore);
    // Its owner takes the place again, before anybody else can.
    const peer = clientOf(socket);
    this.#shaken(peer);
    const certificate = this.#tls.admit(socket);
    const http2 = socket.alpnProtocol === "h2";
    const owner = http2 ? this.#http2 : this.#engine;
    const heard = this.#proxied.get(peer);
    const isLost = this.#gate !== undefined && heard === undefined;
    if (certificate === undefined || owner === undefined || this.#closing || isLost) {
      if (certificate === undefined) onFault(new Error("the certificate of the client is not vouched for"), 0);
      socket.destroy();
      return;
    }
    // Only now: a client that leaves during the handshake is gone.
    socket.allowHalfOpen = true;
    owner.adopt(socket, new TlsConnectionInfo(socket, certificate), heard?.addresses);
  }

  #shaken(client: string): void {
    if (this.#shaking.delete(client)) this.#budget.freeOpen();
  }
}

function clientOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function ignore(): void {}
