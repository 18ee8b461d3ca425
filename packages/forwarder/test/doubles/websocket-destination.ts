import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createSecureServer, createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
// @boundaries-ignore the fixtures live with the servers that use them
import { localhost } from "../../../http/test/tls-server/fixtures.ts";
import { isWebSocketKey, webSocketAccept } from "../../src/websocket/handshake.ts";
import { WebSocketPeer } from "../websocket/peer.ts";

const certificate = { cert: localhost.cert, key: localhost.key };

export type DestinationProtocols = "Http1" | "Http2" | "Http1AndHttp2";

/** What a destination does with a WebSocket. */
export type WebSocketScript = (peer: WebSocketPeer) => Promise<void>;

/** A destination of WebSockets (that echoes, unless the test says otherwise), in the versions that a Kestrel with those `Protocols` would speak. */
export class WebSocketDestination {
  readonly tls: boolean;
  /** The version of each WebSocket that was opened. */
  readonly seen: ("HTTP/1.1" | "HTTP/2")[] = [];
  /** The keys that came over HTTP/1.1. */
  readonly keys: (string | undefined)[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #script: WebSocketScript;

  private constructor(server: Server, tls: boolean, script: WebSocketScript) {
    this.#script = script;
    this.#server = server;
    this.tls = tls;
  }

  static async open(protocols: DestinationProtocols, tls: boolean, script: WebSocketScript = (peer) => peer.echo()): Promise<WebSocketDestination> {
    const settings = { enableConnectProtocol: true };
    const http1 = protocols !== "Http2";
    let server: Server;
    let http2: Http2Server | undefined;
    if (!tls) {
      // Without ALPN Kestrel speaks HTTP/1.1 where it may.
      http2 = http1 ? undefined : createHttp2Server({ settings });
      server = http1 ? createHttpServer() : onlyHttp2(http2 as Http2Server);
    } else if (protocols === "Http1") {
      server = createHttpsServer(certificate);
    } else {
      server = createSecureServer({ ...certificate, settings, allowHTTP1: http1 });
    }
    const destination = new WebSocketDestination(server, tls, script);
    server.on("connection", (socket: Socket) => destination.#sockets.add(socket.on("error", () => undefined)));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => destination.#upgrade(request, socket, head));
    for (const one of [server, http2]) {
      one?.on("session", (session: ServerHttp2Session) => destination.#session(session));
    }
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return destination;
  }

  get prefix(): string {
    return `${this.tls ? "https" : "http"}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url === "/missing") {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.seen.push("HTTP/1.1");
    this.keys.push(request.headers["sec-websocket-key"]);
    const key = request.headers["sec-websocket-key"] ?? "";
    if (!isWebSocketKey(key)) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${webSocketAccept(key)}\r\n\r\n`);
    if (head.length > 0) socket.unshift(head);
    void this.#script(new WebSocketPeer(socket, "server"));
  }

  #session(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("error", () => undefined);
    session.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      if (headers[":protocol"] !== "websocket" || headers[":path"] === "/missing") {
        stream.respond({ ":status": 403 }, { endStream: true });
        return;
      }
      this.seen.push("HTTP/2");
      stream.respond({ ":status": 200 });
      void this.#script(new WebSocketPeer(stream, "server"));
    });
  }
}

/** What Kestrel does with HTTP/1.1 where only HTTP/2 is spoken in the clear: 400. */
function onlyHttp2(http2: Http2Server): Server {
  return createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("readable", () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      if (first.toString("latin1").startsWith("PRI ")) {
        socket.unshift(first);
        http2.emit("connection", socket);
      } else socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
  });
}
