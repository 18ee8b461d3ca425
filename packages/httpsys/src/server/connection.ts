import { ClientGoneError, nextConnectionId, type ConnectionInfo } from "@proxy/http";
import type { PendingCall } from "../completions.ts";
import type { DecodedRequest } from "../decode-request.ts";
import type { ConnectionId } from "../handles.ts";
import type { Listening } from "../listening.ts";
import type { HttpSysExchange } from "./httpsys-exchange.ts";

/** A connection that requests have come on, from the first of them until HTTP.sys tells that it is closed. */
export class HttpSysConnection implements PendingCall {
  readonly info: ConnectionInfo;
  readonly exchanges: Set<HttpSysExchange> = new Set();
  requests = 0;
  upgraded = false;
  readonly #listening: Listening;
  readonly #id: ConnectionId;
  readonly #closed: (connection: HttpSysConnection) => void;

  constructor(listening: Listening, request: DecodedRequest, closed: (connection: HttpSysConnection) => void) {
    this.#listening = listening;
    this.#id = request.connectionId;
    this.#closed = closed;
    const { remote, local, tls } = request;
    this.info = {
      id: nextConnectionId(),
      remoteAddress: remote?.address,
      remotePort: remote?.port,
      localAddress: local?.address,
      localPort: local?.port,
      tls:
        tls === undefined
          ? undefined
          : {
              serverName: undefined,
              alpnProtocol: request.version === "2" ? "h2" : request.version === "3" ? "h3" : "http/1.1",
              protocol: tls.protocol,
              cipher: undefined,
              clientCertificate: tls.clientCertificate,
              clientCertificateAuthorized: tls.clientCertificateValid,
            },
    };
    listening.completions.submit(this);
  }

  get id(): ConnectionId {
    return this.#id;
  }

  start(overlapped: bigint): number {
    const { library, queue } = this.#listening;
    const wait = library.find("HttpWaitForDisconnectEx");
    return wait === undefined
      ? library.call("HttpWaitForDisconnect", queue, this.#id, overlapped)
      : wait(queue, this.#id, 0, overlapped);
  }

  completed(): void {
    const cause = new ClientGoneError("the client left");
    for (const exchange of this.exchanges) exchange.clientGone(cause);
    this.#closed(this);
  }
}
