import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";

/** A destination over TLS that answers every head, and remembers who came. */
export class TlsDestination {
  readonly sockets: TLSSocket[] = [];
  readonly requests: string[] = [];
  /** Whom the client certificates of the connections are of. */
  readonly clients: (string | string[] | undefined)[] = [];
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(options: TlsOptions): Promise<TlsDestination> {
    const server = createServer(options);
    const destination = new TlsDestination(server);
    server.on("tlsClientError", () => undefined);
    server.on("secureConnection", (socket) => {
      destination.sockets.push(socket);
      destination.clients.push(socket.getPeerCertificate().subject?.CN);
      socket.on("error", () => undefined);
      let text = "";
      socket.on("data", (bytes: Buffer) => {
        text += bytes.toString("latin1");
        for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
          destination.requests.push(text.slice(0, end + 4));
          text = text.slice(end + 4);
          socket.write(destination.answer);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return destination;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}
