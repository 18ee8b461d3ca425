import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What the proxy answers to CONNECT instead of opening a tunnel; undefined: the tunnel. */
export type Refusal = string | undefined;

/** A web proxy that opens tunnels, and answers everything else itself. */
export class TestProxy {
  /** Heads that came, with their empty lines. */
  readonly heads: string[] = [];
  readonly sockets: Socket[] = [];
  onHead: (() => void) | undefined;
  refusal: Refusal;
  /** Nothing is answered. */
  silent = false;
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfrom afar";
  /** What comes before the answer to CONNECT. */
  interim = "";
  /** Bytes sent at once with the answer to CONNECT. */
  surplus = "";
  /** In how many pieces the answer to CONNECT comes. */
  pieces = 1;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<TestProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TestProxy(server);
    server.on("connection", (socket) => proxy.#serve(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    let text = "";
    const onData = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      this.heads.push(head);
      if (this.silent) {
        this.onHead?.();
        return;
      }
      if (!head.startsWith("CONNECT ")) socket.write(this.answer);
      else if (this.refusal !== undefined) socket.end(this.refusal);
      else {
        socket.off("data", onData);
        void this.#tunnel(socket, head);
      }
    };
    socket.on("data", onData);
  }

  async #tunnel(socket: Socket, head: string): Promise<void> {
    const [, host = "", port = ""] = /^CONNECT ([^:]+):(\d+) /.exec(head) ?? [];
    const far = connect(Number(port), host === "named.test" ? "127.0.0.1" : host);
    this.sockets.push(far);
    far.on("error", () => socket.destroy());
    await new Promise((resolve) => far.once("connect", resolve));
    const answer = `${this.interim}HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n${this.surplus}`;
    const size = Math.ceil(answer.length / this.pieces);
    for (let at = 0; at < answer.length; at += size) {
      socket.write(answer.slice(at, at + size));
      await new Promise(setImmediate);
    }
    socket.pipe(far);
    far.pipe(socket);
    far.on("close", () => socket.destroy());
    socket.on("close", () => far.destroy());
  }
}
