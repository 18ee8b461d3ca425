/** Raw connections: bytes in, bytes out. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Sends `bytes` to a port of this machine and reads until the other side closes, or `until` matches what came. */
export function exchangeBytes(port: number, bytes: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (until?.test(text)) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

export interface RawDestination {
  readonly port: number;
  /** All that came, one text per connection. */
  readonly received: string[];
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** A server of raw sockets: `answer` is called with what came so far on a connection, each time more comes. */
export async function rawDestination(answer: (received: string, socket: Socket) => void): Promise<RawDestination> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const index = received.push("") - 1;
    sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: string) => {
      received[index] += chunk;
      answer(received[index] ?? "", socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    sockets,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
