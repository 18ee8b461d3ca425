import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
// @boundaries-ignore the suite lives with its interface
import { ConnectionCutError, RawClient } from "../../../../http/test/contract/raw-client.ts";
import { type Lines, type SeenRequest, type SeenResponse, type SentRequest, type SentResponse, valuesOf, type WireDestination, type WireEnd } from "./messages.ts";

const written = (lines: Lines): string => lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");

/** A client of bytes. Its connection is kept for as long as the server keeps it. */
export class Http1End implements WireEnd {
  readonly #port: number;
  #connection: RawClient | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async ask({ method, target, authority, headers, body, hasBody }: SentRequest): Promise<SeenResponse> {
    const connection = (this.#connection ??= await RawClient.open(this.#port));
    const chunked = valuesOf(headers, "transfer-encoding").length > 0;
    const content = !hasBody || !chunked ? body : `${body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
    connection.write(`${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${written(headers)}\r\n${content}`);
    try {
      const { status, reason, headers: seen, trailers, header } = await connection.readResponse(method);
      if (status >= 400 || header("connection") === "close") this.close();
      return { status, reason, headers: seen, trailers };
    } catch (error) {
      if (!(error instanceof ConnectionCutError)) throw error;
      this.close();
      return { status: 0, reason: error.message, headers: [], trailers: [] };
    }
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

/** A destination of bytes, each connection read on its own. */
export class Http1Destination implements WireDestination {
  answer: SentResponse = { status: 200, reason: "OK", headers: [], trailers: undefined };
  readonly seen: SeenRequest[] = [];
  readonly faults: unknown[] = [];
  readonly #server: Server;
  readonly #connections = new Set<RawClient>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      const connection = RawClient.over(socket);
      this.#connections.add(connection);
      this.#serve(connection)
        .catch((error: unknown) => {
          if (!(error instanceof ConnectionCutError)) this.faults.push(error);
        })
        .finally(() => {
          connection.destroy();
          this.#connections.delete(connection);
        });
    });
  }

  static async open(): Promise<Http1Destination> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Http1Destination(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(connection: RawClient): Promise<void> {
    for (;;) {
      const request = await readRequest(connection);
      this.seen.push(request);
      const { status, reason, headers, trailers } = this.answer;
      const framed = status < 200 || status === 204 || headers.some(([name]) => /^(?:content-length|transfer-encoding)$/iu.test(name));
      const framing = framed ? "" : trailers === undefined ? "Content-Length: 0\r\n" : "Transfer-Encoding: chunked\r\n";
      const end = !framed && trailers !== undefined ? `0\r\n${written(trailers)}\r\n` : "";
      connection.write(`HTTP/1.1 ${status} ${reason}\r\n${written(headers)}${framing}\r\n${end}`);
    }
  }
}

async function readRequest(connection: RawClient): Promise<SeenRequest> {
  const [first, ...rest] = (await connection.readUntil("\r\n\r\n")).slice(0, -4).split("\r\n") as [string, ...string[]];
  const [, method, target] = /^(\S+) (\S+) HTTP\/1\.1$/u.exec(first) as unknown as [string, string, string];
  const headers = rest.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const [length] = valuesOf(headers, "content-length");
  const chunked = valuesOf(headers, "transfer-encoding").length > 0;
  const body = chunked ? await readChunks(connection) : (await connection.readBytes(Number(length ?? 0))).toString("latin1");
  return { method, target, headers, body, hasBody: chunked || body !== "" };
}

async function readChunks(connection: RawClient): Promise<string> {
  let body = "";
  for (;;) {
    const size = Number.parseInt(await connection.readUntil("\r\n"), 16);
    if (size > 0) body += (await connection.readBytes(size)).toString("latin1");
    await connection.readUntil("\r\n");
    if (size === 0) return body;
  }
}
