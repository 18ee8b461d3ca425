import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { SeenRequest } from "./memory-connection.ts";

/**
 * What Node's parser (llhttp, strict) makes of the same bytes: the requests that came to their end, in order. Node
 * forgets the requests that it has parsed when an error follows in the same piece: pieces end where requests do.
 */
export async function playInNode(pieces: readonly Uint8Array[]): Promise<readonly SeenRequest[]> {
  const requests: SeenRequest[] = [];
  const socket = new (class extends Duplex {
    override _read(): void {}
    override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
      callback();
    }
  })();
  socket.on("error", () => undefined);
  current = requests;
  server.emit("connection", socket);
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    socket.push(piece);
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  return requests;
}

let current: SeenRequest[] = [];

const server = createServer(
  { maxHeaderSize: 65_536, keepAlive: true, connectionsCheckingInterval: 1_000_000 },
  (req: IncomingMessage, res: ServerResponse) => {
    const requests = current;
    let body = "";
    req.on("error", () => undefined);
    req.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    req.on("end", () => {
      requests.push({
        method: req.method as string,
        target: req.url as string,
        version: req.httpVersion,
        headers: req.rawHeaders,
        body,
        trailers: req.rawTrailers,
      });
      res.end();
    });
  },
);
server.on("clientError", (_error, socket) => socket.destroy());
