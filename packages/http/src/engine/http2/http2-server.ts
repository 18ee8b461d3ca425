import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { FrontServer, ListenAddress } from "../../front-server.ts";
import { ConnectionBudget } from "../../connection-budget.ts";
import { ProxyProtocolGate } from "../../proxy-protocol/proxy-protocol-gate.ts";
import { Http2Sessions, type Http2SessionsOptions } from "./http2-sessions.ts";

export interface Http2ServerOptions extends Http2SessionsOptions {}

const defaultGracePeriod = 30_000;

/**
 * A front server for cleartext HTTP/2 by prior knowledge (RFC 9113, 3.3) by our own engine. Over TLS, with HTTP/1.1 beside it,
 * use `createTlsServer`.
 */
export function createHttp2Server(options: Http2ServerOptions): FrontServer {
  return new Http2Server(options);
}

class Http2Server implements FrontServer {
  readonly #sessions: Http2Sessions;
  readonly #server: Server;
  readonly #gate: ProxyProtocolGate | undefined;

  constructor(options: Http2ServerOptions) {
    const budget = options.budget ?? new ConnectionBudget();
    this.#sessions = new Http2Sessions({ ...options, budget }, "http");
    const gate =
      options.proxyProtocol === undefined
        ? undefined
        : new ProxyProtocolGate({
            ...options.proxyProtocol,
            budget,
            maximum: options.limits?.maxConcurrentConnections ?? Infinity,
            onFault: (error) => options.onFault?.(error, 0),
            deliver: (socket, addresses) => this.#sessions.adopt(socket, undefined, addresses),
          });
    this.#gate = gate;
    this.#server = createServer({ noDelay: true });
    this.#server.on("connection", (socket) => (gate === undefined ? this.#sessions.adopt(socket, undefined) : gate.accept(socket)));
    this.#server.on("error", (error) => options.onFault?.(error, 0));
  }

  async listen(at: ListenAddress): Promise<AddressInfo> {
    const listening = once(this.#server, "listening");
    this.#server.listen({ port: at.port, host: at.host });
    await listening;
    return this.#server.address() as AddressInfo;
  }

  get connectionCount(): number {
    return this.#sessions.connectionCount + (this.#gate?.waiting ?? 0);
  }

  async close(gracePeriod: number = defaultGracePeriod): Promise<void> {
    this.#gate?.close();
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await Promise.all([stopped, this.#sessions.close(gracePeriod)]);
  }
}
