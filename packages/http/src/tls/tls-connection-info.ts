import type { TLSSocket } from "node:tls";
import type { ExchangeHandler, TlsInfo } from "../exchange.ts";
import { BadRequestError } from "../errors.ts";
import { HeaderList } from "../header-list.ts";
import type { CertificateNames } from "./certificate.ts";
import { tlsInfo } from "../node/connection-info.ts";

/** The facts of a TLS connection with the certificate that was served on it. */
export class TlsConnectionInfo implements TlsInfo {
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  readonly clientCertificate: Uint8Array | undefined;
  readonly clientCertificateAuthorized: boolean;
  readonly #certificate: CertificateNames;
  /** What the last request was for: most connections serve one host. */
  #covered = "";

  constructor(socket: TLSSocket, certificate: CertificateNames) {
    const facts = tlsInfo(socket);
    this.serverName = facts.serverName;
    this.alpnProtocol = facts.alpnProtocol;
    this.protocol = facts.protocol;
    this.cipher = facts.cipher;
    this.clientCertificate = facts.clientCertificate;
    this.clientCertificateAuthorized = facts.clientCertificateAuthorized;
    this.#certificate = certificate;
  }

  /** Whether the certificate of the connection is one for `authority`; a request without one (HTTP/1.0) is for anybody. */
  covers(authority: string): boolean {
    if (authority === this.#covered || authority === "") return true;
    if (!this.#certificate.covers(authority)) return false;
    this.#covered = authority;
    return true;
  }
}

/** Answers 421 to requests for hosts that the certificate of their connection does not cover (RFC 9110, 7.4 and 15.5.20). */
export function refuseUncoveredHosts(handler: ExchangeHandler, onFault: (error: Error, connectionId: number) => void): ExchangeHandler {
  return (exchange) => {
    const { tls, id } = exchange.connection;
    if (!(tls instanceof TlsConnectionInfo) || tls.covers(exchange.request.authority)) return handler(exchange);
    onFault(new BadRequestError(421, "MISDIRECTED_REQUEST", "the certificate of the connection does not cover the host"), id);
    exchange.response.send({ status: 421, headers: new HeaderList() });
    return undefined;
  };
}
