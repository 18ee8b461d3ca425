import { constants, randomBytes } from "node:crypto";
import { createServer, type SecureContextOptions, type SecureVersion, type Server, type TLSSocket } from "node:tls";
import { type CertificateNames, certificateNames, ServedCertificate, type TlsCertificate } from "./certificate.ts";
import { checkAuthorities, pemText } from "./authorities.ts";
import { ServerNameTable } from "./server-name-table.ts";
import { versionOptions } from "./versions.ts";

/** What may change while connections are open. */
export interface FrontTlsSettings {
  /** For clients that name no server, or one that `serverNames` does not know. Without it they are refused. */
  readonly certificate?: TlsCertificate | undefined;
  /** By name, `*.suffix` or `*`, without regard to case. */
  readonly serverNames?: Iterable<readonly [pattern: string, certificate: TlsCertificate]> | undefined;
  /** Default: TLS 1.2 and 1.3. */
  readonly minVersion?: SecureVersion | undefined;
  readonly maxVersion?: SecureVersion | undefined;
  /** Versions between these two that are not spoken. */
  readonly withoutVersions?: readonly SecureVersion[] | undefined;
  /** PEM of the authorities that vouch for clients. Default: those that Node knows. */
  readonly clientAuthorities?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
}

export interface FrontTlsOptions extends FrontTlsSettings {
  /**
   * Whether clients are asked for a certificate: not at all (default), asked ("allow"), or refused without one
   * ("require"). One that the authorities do not vouch for ends the connection.
   */
  readonly clientCertificates?: "none" | "allow" | "require" | undefined;
  /** Milliseconds. Default 10 000. */
  readonly handshakeTimeout?: number | undefined;
  /** Answers 421 to a host that the certificate of the connection does not cover (RFC 9110, 7.4). Default true. */
  readonly refuseUncoveredHosts?: boolean | undefined;
}

/** Seconds that a session can be resumed: OpenSSL's own five minutes cost a full handshake too often. */
const sessionTimeout = 7200;

/**
 * The certificates of a front server and how they are chosen. `update` swaps all of them at once for the handshakes to
 * come: connections stay open, and sessions can still be resumed. Every choice is total: no server name that a client can
 * send throws.
 */
export class FrontTls {
  readonly refuseUncoveredHosts: boolean;
  readonly #options: FrontTlsOptions;
  readonly #ticketKeys = randomBytes(48);
  readonly #sessionIdContext = randomBytes(16).toString("hex");
  readonly #servers = new Set<Server>();
  #settings: FrontTlsSettings;
  #table: ServerNameTable<ServedCertificate>;

  /** @throws {TlsCertificateError | TypeError} for a certificate or a server name that cannot be used. */
  constructor(options: FrontTlsOptions) {
    this.#options = options;
    this.#settings = options;
    this.refuseUncoveredHosts = options.refuseUncoveredHosts ?? true;
    this.#table = this.#build(options);
  }

  /**
   * Takes new certificates into use.
   *
   * @throws {TlsCertificateError | TypeError} and changes nothing, when one of them cannot be used.
   */
  update(settings: FrontTlsSettings): void {
    const table = this.#build(settings);
    this.#settings = settings;
    this.#table = table;
    for (const server of this.#servers) server.setSecureContext(this.#serverContext(settings));
  }

  /** A server for connections with these protocols, the preferred one first (ALPN, RFC 7301). Close it with `release`. */
  createServer(alpnProtocols: readonly string[]): Server {
    const { clientCertificates = "none", handshakeTimeout = 10_000 } = this.#options;
    const server = createServer({
      ...this.#serverContext(this.#settings),
      noDelay: true,
      ALPNProtocols: [...alpnProtocols],
      handshakeTimeout,
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "require",
      SNICallback: (serverName, callback) => {
        const found = this.#table.find(serverName);
        if (found === undefined) callback(new Error("no certificate for this server name"));
        else callback(null, found.context);
      },
    });
    this.#servers.add(server);
    return server;
  }

  release(server: Server): void {
    this.#servers.delete(server);
  }

  /**
   * The names of the certificate that a connection was given. Undefined: the client may not stay, because nobody vouches for the
   * certificate that it sent.
   */
  admit(socket: TLSSocket): CertificateNames | undefined {
    const { clientCertificates = "none" } = this.#options;
    if (clientCertificates === "allow" && !socket.authorized && socket.getPeerX509Certificate() !== undefined) return undefined;
    const chosen = this.#table.find(nameOf(socket));
    return chosen === undefined ? certificateNames(socket) : chosen.namesOn(socket);
  }

  #build(settings: FrontTlsSettings): ServerNameTable<ServedCertificate> {
    const shared = this.#sharedContext(settings);
    const certificates: (readonly [string, ServedCertificate])[] = [];
    for (const [pattern, certificate] of settings.serverNames ?? []) certificates.push([pattern, new ServedCertificate(certificate, shared)]);
    const fallback = settings.certificate === undefined ? undefined : new ServedCertificate(settings.certificate, shared);
    return new ServerNameTable(certificates, fallback);
  }

  /** What is the same for all names: sessions are resumed only where it is. */
  #sharedContext(settings: FrontTlsSettings): SecureContextOptions {
    const { minVersion = "TLSv1.2", clientAuthorities } = settings;
    return {
      ...versionOptions({ ...settings, minVersion }, constants.SSL_OP_NO_RENEGOTIATION),
      honorCipherOrder: true,
      ...(clientAuthorities === undefined ? {} : { ca: authorities(clientAuthorities) }),
      sessionIdContext: this.#sessionIdContext,
      sessionTimeout,
      ticketKeys: this.#ticketKeys,
    };
  }

  /** For the handshakes of clients that name no server. */
  #serverContext(settings: FrontTlsSettings): SecureContextOptions {
    const named = [...(settings.serverNames ?? [])].find(([pattern]) => pattern === "*")?.[1];
    const { cert, key, pfx, passphrase } = named ?? settings.certificate ?? {};
    return {
      ...this.#sharedContext(settings),
      ...(cert === undefined ? {} : { cert: bytes(cert), key: bytes(key ?? cert) }),
      ...(pfx === undefined ? {} : { pfx: bytes(pfx) }),
      ...(passphrase === undefined ? {} : { passphrase }),
    };
  }
}

/**
 * Whether certificates can be used, without using them.
 *
 * @throws {TlsCertificateError | TypeError} when they cannot.
 */
export function checkCertificates(settings: FrontTlsSettings): void {
  void new FrontTls(settings);
}

function nameOf(socket: TLSSocket): string | undefined {
  const name: unknown = socket.servername;
  return typeof name === "string" ? name : undefined;
}

function authorities(pem: NonNullable<FrontTlsSettings["clientAuthorities"]>): string[] {
  const texts = (typeof pem === "string" || pem instanceof Uint8Array ? [pem] : pem).map(pemText);
  texts.forEach(checkAuthorities);
  return texts;
}

function bytes(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
}
