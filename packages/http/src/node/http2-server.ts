import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { FrontServer, ListenAddress } from "../front-server.ts";
import { Http2Sessions, type Http2SessionsOptions } from "./http2-sessions.ts";

export interface Http2ServerOptions extends Http2SessionsOptions {}

const defaultGracePeriod = 30_000;

/**
 * A front server for cleartext HTTP/2 by prior knowledge (RFC 9113, 3.3) on `node:http2`. Over TLS, with HTTP/1.1 beside it,
 * use `createTlsServer`.
 */
export function createHttp2Server(options: Http2ServerOptions): FrontServer {
  return new Http2Server(options);
}

class Http2Server implements FrontServer {
  readonly #sessions: Http2Sessions;
  readonly #server: Server;

  constructor(options: Http2ServerOptions) {
    this.#sessions = new Http2Sessions(options, "http");
    this.#server = createServer({ noDelay: true });
    this.#server.on("connection", (socket) => this.#sessions.adopt(socket, undefined));
    this.#server.on("error", (error) => options.onFault?.(error, 0));
  }

  async listen(at: ListenAddress): Promise<AddressInfo> {
    const listening = once(this.#server, "listening");
    this.#server.listen({ port: at.port, host: at.host });
    await listening;
    return this.#server.address() as AddressInfo;
  }

  get connectionCount(): number {
    return this.#sessions.connectionCount;
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await Promise.all([stopped, this.#sessions.close(gracePeriod)]);
  }
}
