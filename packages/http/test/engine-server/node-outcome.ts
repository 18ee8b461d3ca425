import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { SeenHead, SeenRequest } from "./memory-connection.ts";

export interface NodeOutcome {
  /** Requests that were told by the event `request`, in order. */
  readonly heads: readonly SeenHead[];
  /** Those that came to their end, in order. */
  readonly requests: readonly SeenRequest[];
  /** The code of the parser's error. It can follow the event `request`: framing is judged after it. */
  readonly refusal: string | undefined;
}

/**
 * What Node's parser (llhttp, strict) makes of the same bytes. Node forgets what it has parsed when an error follows
 * in the same piece: pieces end where heads and requests do.
 */
export async function playInNode(pieces: readonly Uint8Array[]): Promise<NodeOutcome> {
  const outcome: Notes = { heads: [], requests: [] };
  const socket = new (class extends Duplex {
    override _read(): void {}
    override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
      callback();
    }
  })();
  socket.on("error", () => undefined);
  current = outcome;
  server.emit("connection", socket);
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    socket.push(piece);
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  return { ...outcome, refusal: refusals.get(socket) };
}

interface Notes {
  readonly heads: SeenHead[];
  readonly requests: SeenRequest[];
}

const refusals = new WeakMap<Duplex, string>();
let current: Notes = { heads: [], requests: [] };

const server = createServer(
  { maxHeaderSize: 65_536, keepAlive: true, connectionsCheckingInterval: 1_000_000 },
  (req: IncomingMessage, res: ServerResponse) => {
    const { heads, requests } = current;
    const head: SeenHead = {
      method: req.method as string,
      target: req.url as string,
      version: req.httpVersion,
      headers: req.rawHeaders,
    };
    heads.push(head);
    let body = "";
    req.on("error", () => undefined);
    req.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1");
    });
    req.on("end", () => {
      requests.push({ ...head, body, trailers: req.rawTrailers });
      res.end();
    });
  },
);
server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
  refusals.set(socket, error.code ?? error.message);
  socket.destroy();
});
