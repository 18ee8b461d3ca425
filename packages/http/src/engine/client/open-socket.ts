import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { DestinationOrigin } from "../../destination-client.ts";
import type { DestinationTls } from "../../tls/destination-tls.ts";
import { connectionSource } from "./connection-source.ts";
import { connectToProxy, openTunnel } from "./proxy-tunnel.ts";
import type { WebProxy } from "./web-proxy.ts";

export interface OpenSocketOptions {
  readonly origin: DestinationOrigin;
  /** Undefined: cleartext. */
  readonly tls: DestinationTls | undefined;
  /** Offered in this order (RFC 7301). Only with `tls`. */
  readonly alpnProtocols: readonly string[];
  /** A TLS session to take up again. */
  readonly session?: Buffer | undefined;
  /** Who is asked for a tunnel to the origin. Undefined: the connection is direct. */
  readonly tunnelOver?: WebProxy | undefined;
  /** Who is connected to instead of the origin, without TLS. */
  readonly instead?: Pick<DestinationOrigin, "host" | "port"> | undefined;
  readonly lookup?: LookupFunction | undefined;
  /** Where the connection is made from. Undefined: the system's choice. */
  readonly localAddress?: string | undefined;
  /** How the socket is read; undefined: it is left alone. */
  readonly onread?: OnReadOpts | undefined;
}

/** Told how the opening of a socket goes. */
export interface SocketListener {
  /** Connected; with TLS the certificate has been checked. From here on the listener owns the socket: its errors, its end. */
  socketOpened(socket: Socket): void;
  /** It did not come to that, and `socketOpened` will not be called. The socket is destroyed. */
  socketFailed(error: Error): void;
  /** No socket is left, whatever came before: the last call. */
  socketClosed(): void;
  /** TLS: a session to take up with the next connection. */
  socketSession(session: Buffer): void;
}

/** A connection being opened. */
export interface SocketOpening {
  /** Gives up; of the listener only `socketClosed` is called then. */
  destroy(): void;
}

const keepAliveDelay = 60_000;

/**
 * Opens a connection to `origin`: TCP, CONNECT where a web proxy is between, TLS. The one way in which this package's
 * clients come by their sockets. Addresses are tried in the order of RFC 8305, families in turn, one after the other: each but the
 * last has half a second (Node's autoSelectFamily). No timeout for the whole: the caller has one.
 * The listener hears nothing before this returns.
 *
 * @throws {Error} for what no peer can bring about: a port or a TLS setting that Node refuses.
 */
export function openSocket(options: OpenSocketOptions, listener: SocketListener): SocketOpening {
  const { origin, tls, tunnelOver } = options;
  const target = options.instead ?? origin;
  // Node notices too, but leaves a handle behind.
  for (const { port } of [target, tunnelOver ?? target]) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError("the port is not valid");
  }
  if (tunnelOver !== undefined) return new Opening(options, listener, connectToProxy(tunnelOver, options, keepAliveDelay));
  const base = {
    host: target.host,
    port: target.port,
    allowHalfOpen: true,
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
    ...connectionSource(options),
    ...(options.onread === undefined ? {} : { onread: options.onread }),
  };
  const socket = tls === undefined ? connectTcp(base) : connectTls({ ...base, ...tlsOptions(options, tls) });
  return new Opening(options, listener, socket);
}

/** The name that a destination is asked for, and has to prove. */
export function serverNameOf(origin: DestinationOrigin, tls: DestinationTls): string {
  return tls.options.serverName ?? origin.serverName ?? origin.host;
}

function tlsOptions({ origin, alpnProtocols, session }: OpenSocketOptions, tls: DestinationTls): ConnectionOptions {
  const name = serverNameOf(origin, tls);
  return {
    secureContext: tls.context,
    ALPNProtocols: [...alpnProtocols],
    rejectUnauthorized: tls.options.acceptAnyCertificate !== true,
    // An address cannot be sent as SNI (RFC 6066, 3), but the certificate is checked against it.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (...[, certificate]: Parameters<typeof checkServerIdentity>) => checkServerIdentity(name, certificate),
    ...(session === undefined ? {} : { session }),
  };
}

/** The life of one socket until it is open, or of two: the one to a proxy, and TLS on it. */
class Opening implements SocketOpening {
  readonly #options: OpenSocketOptions;
  readonly #listener: SocketListener;
  #socket: Socket;
  #over = false;

  constructor(options: OpenSocketOptions, listener: SocketListener, socket: Socket) {
    this.#options = options;
    this.#listener = listener;
    this.#socket = socket;
    this.#watch(socket);
    const { tunnelOver, tls, origin } = options;
    if (tunnelOver !== undefined) {
      openTunnel(socket, tunnelOver, origin, {
        ready: () => this.#throughTunnel(socket),
        failed: (error) => this.#fail(error),
      });
    } else {
      socket.once(tls === undefined ? "connect" : "secureConnect", () => this.#opened());
    }
  }

  destroy(): void {
    this.#over = true;
    this.#socket.destroy();
  }

  #throughTunnel(tunnel: Socket): void {
    if (this.#over) return;
    const { tls, onread } = this.#options;
    if (tls !== undefined) {
      const socket = connectTls({ ...tlsOptions(this.#options, tls), socket: tunnel });
      this.#socket = socket;
      this.#watch(socket);
      if (onread !== undefined) this.#readByEvents(socket, onread);
      socket.once("secureConnect", () => this.#opened());
      return;
    }
    if (onread !== undefined) this.#readByEvents(tunnel, onread);
    this.#opened();
  }

  #watch(socket: Socket): void {
    // Stays for good: a late error finds it when nobody else listens any more.
    socket.on("error", (error: Error) => this.#fail(error));
    socket.on("close", () => {
      // The first of two ends with the second.
      if (socket !== this.#socket) return;
      this.#fail(new Error("the connection was closed while it was opened"));
      this.#listener.socketClosed();
    });
    if (this.#options.tls !== undefined) (socket as TLSSocket).on("session", (session) => this.#listener.socketSession(session));
  }

  /** `onread` is for sockets that connect by themselves; a listener stands in for it on one that is connected already. */
  #readByEvents(socket: Socket, onread: OnReadOpts): void {
    socket.on("data", (bytes: Buffer) => {
      if (!onread.callback(bytes.length, bytes)) socket.pause();
    });
  }

  #opened(): void {
    if (this.#over) return;
    this.#over = true;
    this.#listener.socketOpened(this.#socket);
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#listener.socketFailed(error);
  }
}
