import { ClientGoneError, nextConnectionId, type ConnectionInfo } from "@proxy/http";
import type { PendingCall } from "../completions.ts";
import type { DecodedRequest } from "../decode-request.ts";
import type { ConnectionId } from "../handles.ts";
import type { Listening } from "../listening.ts";
import { ClientCertificate } from "./client-certificate.ts";
import { tlsFacts } from "./tls-facts.ts";
import type { HttpSysExchange } from "./httpsys-exchange.ts";

/** A connection that requests have come on, from the first of them until HTTP.sys tells that it is closed. */
export class HttpSysConnection implements PendingCall {
  readonly info: ConnectionInfo;
  /** Undefined on connections that cannot have one. */
  readonly clientCertificate: ClientCertificate | undefined;
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
    const { remote, local, version } = request;
    const tls = tlsFacts(listening, request);
    this.info = {
      id: nextConnectionId(),
      remoteAddress: remote?.address,
      remotePort: remote?.port,
      localAddress: local?.address,
      localPort: local?.port,
      tls,
    };
    // Only HTTP/1.1 lets a server ask later (RFC 9113, 9.2.1).
    const mayHave = tls !== undefined && (tls.clientCertificate !== undefined || version === "1.1" || version === "1.0");
    this.clientCertificate = mayHave ? new ClientCertificate(listening, request.connectionId, tls) : undefined;
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
