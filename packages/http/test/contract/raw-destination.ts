import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { RawClient } from "./raw-client.ts";
import { until } from "./recorders.ts";

/** One connection that a client under test opened to a raw destination. */
export class RawPeer {
  readonly socket: Socket;
  readonly wire: RawClient;
  constructor(socket: Socket) {
    this.socket = socket;
    this.wire = RawClient.over(socket);
  }

  /** Reads a request head: its line and fields, latin1. */
  async readRequest(): Promise<RawRequest> {
    const text = await this.wire.readUntil("\r\n\r\n");
    const lines = text.slice(0, -4).split("\r\n");
    const [method, target, version] = (lines[0] as string).split(" ") as [string, string, string];
    const headers = lines.slice(1).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const all = (name: string): string[] => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    return { method, target, version, headers, all, header: (name) => all(name)[0] };
  }

  /** Reads a chunked body as it stands on the wire, with its trailers. */
  async readChunked(): Promise<{ readonly body: string; readonly trailers: string }> {
    let body = "";
    for (;;) {
      const size = Number.parseInt(await this.wire.readUntil("\r\n"), 16);
      if (size === 0) break;
      body += (await this.wire.readBytes(size + 2)).toString("latin1").slice(0, -2);
    }
    let trailers = "";
    for (;;) {
      const line = await this.wire.readUntil("\r\n");
      if (line === "\r\n") return { body, trailers };
      trailers += line;
    }
  }

  write(data: string | Uint8Array): void {
    this.wire.write(data);
  }
}

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  header(name: string): string | undefined;
  all(name: string): readonly string[];
}

/** A destination of bytes: accepts connections and leaves what stands on them to the test. */
export class RawDestination {
  readonly peers: RawPeer[] = [];
  readonly #server: Server;
  readonly #waiting: ((peer: RawPeer) => void)[] = [];
  #next = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      socket.setNoDelay(true);
      const peer = new RawPeer(socket);
      this.peers.push(peer);
      const waiting = this.#waiting.shift();
      if (waiting !== undefined) {
        this.#next++;
        waiting(peer);
      }
    });
  }

  /** Listens on a free port of the loopback address; its sockets stay half-open after the client's FIN. */
  static async open(): Promise<RawDestination> {
    const server = createServer({ allowHalfOpen: true });
    const destination = new RawDestination(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return destination;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection not given out yet. */
  accept(): Promise<RawPeer> {
    const peer = this.peers[this.#next];
    if (peer !== undefined) {
      this.#next++;
      return Promise.resolve(peer);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Connections still open. */
  get open(): number {
    return this.peers.filter((peer) => !peer.socket.destroyed).length;
  }

  /** Resolves when the client has closed all its connections. */
  async allClosed(): Promise<void> {
    await until(() => this.peers.every((peer) => peer.socket.destroyed || peer.socket.readableEnded));
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const peer of this.peers) peer.socket.destroy();
    if (this.#server.listening) await once(this.#server, "close");
  }
}
