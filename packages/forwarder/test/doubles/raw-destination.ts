import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
// @boundaries-ignore the suite lives with its interface
import { RawClient } from "../../../http/test/contract/raw-client.ts";

/** A destination of bytes: each connection is played by the test. */
export class RawDestination {
  readonly #server: Server;
  readonly #waiting: ((connection: RawClient) => void)[] = [];
  readonly #accepted: RawClient[] = [];
  readonly connections: RawClient[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<RawDestination> {
    const server = createServer({ allowHalfOpen: true });
    const destination = new RawDestination(server);
    server.on("connection", (socket) => {
      const connection = RawClient.over(socket);
      destination.connections.push(connection);
      const waiting = destination.#waiting.shift();
      if (waiting === undefined) destination.#accepted.push(connection);
      else waiting(connection);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return destination;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get prefix(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The next connection. */
  accept(): Promise<RawClient> {
    const accepted = this.#accepted.shift();
    return accepted === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(accepted);
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }
}
