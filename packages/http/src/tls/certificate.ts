import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from "node:tls";
import { portColon } from "../authority.ts";

/** A certificate with its private key: PEM (`cert` with its chain, and `key`) or PKCS #12 (`pfx`). */
export interface TlsCertificate {
  /** PEM: the certificate first, then its chain. May hold the key too. */
  readonly cert?: string | Uint8Array | undefined;
  /** PEM; encrypted keys need `passphrase`. Default: the key in `cert`. */
  readonly key?: string | Uint8Array | undefined;
  readonly pfx?: Uint8Array | undefined;
  readonly passphrase?: string | undefined;
}

/** A certificate cannot be used: the text is no certificate, the key does not fit, the passphrase is wrong. */
export class TlsCertificateError extends Error {
  override readonly name = "TlsCertificateError";
  readonly code = "TLS_CERTIFICATE";
}

/** Most host names whose answer a certificate keeps: clients choose them. */
const maximumKnownHosts = 256;

/** A certificate, ready to be served. */
export class ServedCertificate {
  readonly context: SecureContext;
  /** Of the certificate that was served last: in a PKCS #12 file it cannot be seen before. */
  #names: CertificateNames | undefined;

  /** @throws {TlsCertificateError} which names no secret. */
  constructor(certificate: TlsCertificate, shared: SecureContextOptions) {
    const { cert, pfx, passphrase } = certificate;
    if ((cert === undefined) === (pfx === undefined)) throw new TlsCertificateError("a certificate is either PEM or PKCS #12");
    try {
      this.context = createSecureContext({
        ...shared,
        ...(pfx === undefined ? { cert: text(cert), key: text(certificate.key ?? cert) } : { pfx: Buffer.from(pfx) }),
        ...(passphrase === undefined ? {} : { passphrase }),
      });
      if (cert !== undefined) this.#names = new CertificateNames(new X509Certificate(text(cert) as string));
    } catch (error) {
      throw new TlsCertificateError(reasonOf(error as NodeJS.ErrnoException, passphrase !== undefined), { cause: error });
    }
  }

  /**
   * The names of the certificate that `socket` was given: mostly this one's, but certificates may have been swapped while
   * its handshake was under way.
   */
  namesOn(socket: TLSSocket): CertificateNames | undefined {
    const x509 = socket.getX509Certificate();
    if (x509 === undefined) return undefined;
    this.#names ??= new CertificateNames(x509);
    return this.#names.of(x509) ? this.#names : new CertificateNames(x509);
  }
}

/** The hosts that a certificate covers. */
export class CertificateNames {
  readonly #x509: X509Certificate;
  readonly #hosts = new Map<string, boolean>();

  constructor(x509: X509Certificate) {
    this.#x509 = x509;
  }

  of(x509: X509Certificate): boolean {
    return this.#x509.raw.equals(x509.raw);
  }

  /** Whether the host of `authority` is one of the certificate's names or addresses (RFC 9525). */
  covers(authority: string): boolean {
    const known = this.#hosts.get(authority);
    if (known !== undefined) return known;
    const covered = this.#check(authority);
    if (this.#hosts.size >= maximumKnownHosts) this.#hosts.clear();
    this.#hosts.set(authority, covered);
    return covered;
  }

  #check(authority: string): boolean {
    const x509 = this.#x509;
    const colon = portColon(authority);
    let host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
    if (host.startsWith("[")) host = host.slice(1, -1);
    if (host.endsWith(".")) host = host.slice(0, -1);
    return (isIP(host) !== 0 ? x509.checkIP(host) : x509.checkHost(host)) !== undefined;
  }
}

/** Those of the certificate that `socket` was given. */
export function certificateNames(socket: TLSSocket): CertificateNames | undefined {
  const x509 = socket.getX509Certificate();
  return x509 === undefined ? undefined : new CertificateNames(x509);
}

/** When the certificate of a PEM text ends to be valid; undefined when it cannot be read. */
export function certificateExpiry(pem: string | Uint8Array): Date | undefined {
  try {
    return new Date(new X509Certificate(text(pem) as string).validTo);
  } catch {
    return undefined;
  }
}

function text(pem: string | Uint8Array | undefined): string | undefined {
  return pem === undefined || typeof pem === "string" ? pem : Buffer.from(pem).toString("latin1");
}

/** Why a certificate cannot be used: OpenSSL's words are for those who know its source; the usual mistakes deserve better ones. */
export function reasonOf({ code, message }: NodeJS.ErrnoException, hasPassphrase: boolean): string {
  const isClosed = /mac verify failure|bad decrypt|passphrase|password/i.test(message) || code === "ERR_MISSING_PASSPHRASE";
  if (isClosed && !hasPassphrase) return "the private key is encrypted, and no passphrase is given";
  if (isClosed) return "the passphrase does not open the private key";
  if (/key values mismatch/i.test(message)) return "the private key does not belong to the certificate";
  if (/no start line|PEM/i.test(message)) return "there is no certificate or no private key in PEM";
  return `the certificate cannot be used (${code ?? message})`;
}
