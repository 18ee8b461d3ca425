import type { Socket } from "node:net";
import { ClientGoneError } from "../errors.ts";
import type { ConnectionInfo } from "../exchange.ts";
import type { ProxiedAddresses } from "../proxy-protocol/proxy-header.ts";
import { connectionInfo } from "./connection-info.ts";
import type { NodeExchange } from "./node-exchange.ts";
import { resetSocket } from "../reset-socket.ts";
import type { SocketTunnel } from "./socket-tunnel.ts";

const connections = new WeakMap<Socket, NodeConnection>();

/** How long a connection that is being closed goes on taking bytes, so that the answer is not lost to a reset. */
const lingerTime = 1000;

/**
 * What belongs to a socket that `node:http` serves: its facts and the exchanges under way on it. It listens to the socket
 * once, whatever the number of exchanges, and is the sink of its late errors.
 */
export class NodeConnection {
  readonly socket: Socket;
  readonly info: ConnectionInfo;
  /** In the order of their requests. */
  readonly exchanges: Set<NodeExchange> = new Set();
  /** Requests so far, for the most that one connection may carry. */
  requests = 0;
  /** Answers on this connection say Connection: close, and it is closed when it falls idle. */
  closing = false;
  /** A request was refused: nothing after it on this connection is read. */
  refused = false;
  /** The socket left HTTP: a tunnel owns it. */
  upgraded = false;
  /** That tunnel, to be told when the server begins to close. */
  tunnel: SocketTunnel | undefined;
  /** The server began to close. */
  serverClosing = false;
  /** What Node's parser could not read comes after the exchanges under way: then this is answered. */
  refusal: (() => void) | undefined;
  /** True once the client's FIN came. */
  halfClosed = false;
  /** For the rates, kept by whoever watches them. */
  flushed = 0;
  flushDeadline = Infinity;
  idleSince: number | undefined;
  #error: Error | undefined;

  /** The connection of `socket`, made on first sight; `proxied`: what a proxy in front says of it, to be told then. */
  static of(socket: Socket, proxied?: ProxiedAddresses | undefined): NodeConnection {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const connection = new NodeConnection(socket, proxied);
    connections.set(socket, connection);
    return connection;
  }

  private constructor(socket: Socket, proxied: ProxiedAddresses | undefined) {
    this.socket = socket;
    const info = connectionInfo(socket);
    this.info = proxied === undefined ? info : { ...info, ...proxied };
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("end", () => {
      this.halfClosed = true;
      this.idleSince = undefined;
    });
    socket.on("close", () => {
      const cause = new ClientGoneError("the client left", this.#error === undefined ? undefined : { cause: this.#error });
      for (const exchange of this.exchanges) exchange.clientGone(cause);
    });
  }

  /** An exchange is over: closes the connection when nothing is left to do on it. */
  remove(exchange: NodeExchange): void {
    if (!this.exchanges.delete(exchange) || this.exchanges.size > 0) return;
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) refusal();
    else if (this.closing && !this.upgraded) this.socket.destroySoon();
  }

  /** Makes Node's own close after the last answer linger. */
  lingerAtClose(): void {
    this.socket.destroySoon = () => this.linger();
  }

  /** Closes in order, but reads on for a moment: a close with unread bytes is a reset that can overtake the answer. */
  linger(): void {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return;
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerTime);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
  }

  cut(): void {
    resetSocket(this.socket);
  }
}
