import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream, type ServerOptions,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { until } from "../contract/recorders.ts";

// Self-signed for localhost and 127.0.0.1, valid to 2126; the key guards nothing but these tests.
export const cert = readFileSync(new URL("../tls/cert.pem", import.meta.url), "utf8");
export const key = readFileSync(new URL("../tls/key.pem", import.meta.url), "utf8");

/** One request as a destination gets it. */
export class PeerStream {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** `name, value, …` as it stood in the frames. */
  readonly raw: readonly string[];
  body = "";
  size = 0;
  ended = false;
  /** END_STREAM came, not merely an end. */
  whole = false;
  closed = false;
  trailers: readonly string[] | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    this.stream = stream;
    this.headers = headers;
    this.raw = raw;
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.closed = true;
    });
    stream.on("trailers", (_fields, _flags, lines) => {
      this.trailers = lines as unknown as string[];
    });
    stream.on("end", () => {
      this.ended = true;
      this.whole = !stream.aborted && !stream.closed;
    });
  }

  /** Reads the body as it comes. */
  collect(keep = true): this {
    this.stream.on("data", (chunk: Buffer) => {
      this.size += chunk.length;
      if (keep) this.body += chunk.toString("latin1");
    });
    return this;
  }

  /** The code by which the client reset it, once it has. */
  async reset(): Promise<number> {
    await until(() => this.closed);
    return this.stream.rstCode;
  }

  answer(status = 200, fields: Record<string, string | string[]> = {}, body = "ok"): void {
    this.stream.respond({ ":status": status, ...fields });
    this.stream.end(body);
  }
}

/** A destination of `node:http2` that leaves every stream to the test. */
export class Http2Peer {
  readonly sessions: ServerHttp2Session[] = [];
  readonly sockets: Socket[] = [];
  readonly streams: PeerStream[] = [];
  readonly scheme: "http" | "https";
  readonly #server: Http2Server;
  #next = 0;

  private constructor(server: Http2Server, scheme: "http" | "https") {
    this.#server = server;
    this.scheme = scheme;
    server.on(scheme === "https" ? "secureConnection" : "connection", (socket: Socket) => {
      this.sockets.push(socket);
      socket.on("error", () => undefined);
    });
    server.on("session", (session) => {
      this.sessions.push(session);
      session.on("error", () => undefined);
    });
    server.on("stream", (stream, headers, _flags, raw) => this.streams.push(new PeerStream(stream as ServerHttp2Stream, headers, raw as unknown as string[])));
    server.on("sessionError", () => undefined);
  }

  static async open(scheme: "http" | "https", options: ServerOptions = {}): Promise<Http2Peer> {
    const server = scheme === "https" ? (createSecureServer({ cert, key, ...options }) as unknown as Http2Server) : createServer(options);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Http2Peer(server, scheme);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): { readonly scheme: "http" | "https"; readonly host: string; readonly port: number } {
    return { scheme: this.scheme, host: "127.0.0.1", port: this.port };
  }

  /** Connections still open. */
  get open(): number {
    return this.sockets.filter((socket) => !socket.destroyed).length;
  }

  /** The next request not given out yet. */
  async accept(): Promise<PeerStream> {
    const index = this.#next++;
    await until(() => this.streams.length > index);
    return this.streams[index] as PeerStream;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
