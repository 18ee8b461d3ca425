import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What one connection of a destination does, told each time bytes have come; `received` is all of them, latin1. */
export type Script = (socket: Socket, received: string, connection: number) => void;

/** A destination of raw bytes: a server on 127.0.0.1 that keeps every socket and every byte. */
export class RawDestination {
  readonly sockets: Socket[] = [];
  readonly received: string[] = [];
  readonly #server: Server;
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(script: Script, onConnect?: (socket: Socket, connection: number) => void): Promise<RawDestination> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const destination = new RawDestination(server);
    server.on("connection", (socket) => {
      const connection = destination.sockets.push(socket) - 1;
      destination.received.push("");
      socket.on("error", () => undefined);
      socket.on("close", () => destination.#changed());
      socket.on("end", () => {
        destination.#changed();
        socket.end();
      });
      socket.on("data", (bytes: Buffer) => {
        destination.received[connection] += bytes.toString("latin1");
        script(socket, destination.received[connection] as string, connection);
        destination.#changed();
      });
      onConnect?.(socket, connection);
      destination.#changed();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return destination;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): { scheme: "http"; host: string; port: number } {
    return { scheme: "http", host: "127.0.0.1", port: this.port };
  }

  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }

  /** Resolves once `condition` holds; looks whenever something happened to a socket. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition()) resolve();
        else this.#waiting.push(look);
      };
      this.#waiting.push(look);
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }
}

/** Answers each complete head without a body with `answer`. */
export function answering(answer: string | ((requests: number) => string)): Script {
  const answered = new WeakMap<Socket, number>();
  return (socket, received) => {
    const heads = received.split("\r\n\r\n").length - 1;
    for (let count = answered.get(socket) ?? 0; count < heads; ) {
      answered.set(socket, ++count);
      socket.write(typeof answer === "string" ? answer : answer(count), "latin1");
    }
  };
}
