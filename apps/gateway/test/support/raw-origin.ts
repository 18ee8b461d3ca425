import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** A destination on a raw socket: it keeps the bytes of each request and answers with the bytes it is told to. */
export interface RawOrigin {
  readonly port: number;
  readonly url: string;
  /** Whole requests as they came, latin1. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** `answer` gets the bytes of a request; by default a small 200 that names the origin. */
export async function startRawOrigin(
  name: string,
  answer: (request: string) => string | Promise<string> = () => plainAnswer(name),
): Promise<RawOrigin> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    let pending = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      pending += text;
      for (;;) {
        const end = endOfRequest(pending);
        if (end === undefined) return;
        const request = pending.slice(0, end);
        pending = pending.slice(end);
        requests.push(request);
        void Promise.resolve(answer(request)).then((bytes) => {
          if (!socket.destroyed) socket.write(bytes, "latin1");
        });
      }
    });
  });
  await listen(server);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export function plainAnswer(body: string, head = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Where the first request in `text` ends; undefined while it is incomplete. */
function endOfRequest(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const fields = text.slice(0, head + 2).toLowerCase();
  const start = head + 4;
  if (fields.includes("\r\ntransfer-encoding: chunked\r\n")) {
    const last = text.indexOf("0\r\n\r\n", start);
    return last < 0 ? undefined : last + 5;
  }
  const length = Number(/\r\ncontent-length: (\d+)\r\n/.exec(fields)?.[1] ?? 0);
  return text.length >= start + length ? start + length : undefined;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
  });
}
