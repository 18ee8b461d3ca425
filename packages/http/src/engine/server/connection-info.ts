import type { Socket } from "node:net";
import type { ConnectionInfo, TlsInfo } from "../../exchange.ts";

/** The facts of a connection. Addresses are asked of the system once, when somebody wants them. */
export class EngineConnectionInfo implements ConnectionInfo {
  readonly id: number;
  readonly tls: TlsInfo | undefined;
  readonly #socket: Socket;
  #remoteAddress: string | undefined = undefined;
  #localAddress: string | undefined = undefined;

  constructor(id: number, socket: Socket, tls: TlsInfo | undefined) {
    this.id = id;
    this.#socket = socket;
    this.tls = tls;
  }

  get remoteAddress(): string | undefined {
    return (this.#remoteAddress ??= plainAddress(this.#socket.remoteAddress));
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    return (this.#localAddress ??= plainAddress(this.#socket.localAddress));
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true && address.includes(".") ? address.slice(7) : address;
}
