import { constants, X509Certificate } from "node:crypto";
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from "node:tls";
import type { DestinationTlsOptions, TlsVersion } from "../destination-client.ts";
import { reasonOf, TlsCertificateError } from "./certificate.ts";

/** The switch of OpenSSL that takes a version out from between the lowest and the highest. */
const withoutVersion: Readonly<Record<TlsVersion, number>> = {
  "TLSv1": constants.SSL_OP_NO_TLSv1,
  "TLSv1.1": constants.SSL_OP_NO_TLSv1_1,
  "TLSv1.2": constants.SSL_OP_NO_TLSv1_2,
  "TLSv1.3": constants.SSL_OP_NO_TLSv1_3,
};

/**
 * The TLS settings of a client, prepared once: authorities and certificates are parsed. `update` swaps them for the
 * connections to come; those opened before finish what they carry and are not used again, so that a withdrawn authority or a
 * new client certificate counts from then on.
 */
export class DestinationTls {
  /** internal: grows with each update; connections remember theirs */
  generation = 0;
  #options: DestinationTlsOptions;
  #context: SecureContext;

  /** @throws {TlsCertificateError} for authorities, a certificate or a key that cannot be used. It names no secret. */
  constructor(options: DestinationTlsOptions = {}) {
    this.#options = options;
    this.#context = contextOf(options);
  }

  get options(): DestinationTlsOptions {
    return this.#options;
  }

  get context(): SecureContext {
    return this.#context;
  }

  /** @throws {TlsCertificateError} and changes nothing, when the new ones cannot be used. */
  update(options: DestinationTlsOptions): void {
    this.#context = contextOf(options);
    this.#options = options;
    this.generation++;
  }
}

function contextOf(options: DestinationTlsOptions): SecureContext {
  const { cert, key, pfx, passphrase, minVersion, maxVersion } = options;
  const authorities = options.ca === undefined ? undefined : listOf(options.ca).map(pemText);
  authorities?.forEach(checkAuthorities);
  const without = (options.withoutVersions ?? []).reduce((flags, version) => flags | withoutVersion[version], 0);
  try {
    return createSecureContext({
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(cert === undefined ? {} : { cert: pemText(cert), key: pemText(key ?? cert) }),
      ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
      // OpenSSL's security level 1 leaves no cipher to the versions before 1.2: who asks for one of them has to have it.
      ...(minVersion === "TLSv1" || minVersion === "TLSv1.1" ? { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}),
      ...(without === 0 ? {} : { secureOptions: without }),
    });
  } catch (error) {
    throw new TlsCertificateError(reasonOf(error as NodeJS.ErrnoException, passphrase !== undefined), { cause: error });
  }
}

/** OpenSSL takes a text without any certificate for no authorities at all, and then nobody could be trusted. */
function checkAuthorities(pem: string): void {
  const certificates = pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new TlsCertificateError("there is no certificate of an authority in PEM");
  for (const certificate of certificates) {
    try {
      void new X509Certificate(certificate);
    } catch (cause) {
      throw new TlsCertificateError("a certificate of an authority cannot be read", { cause });
    }
  }
}

function listOf(ca: NonNullable<DestinationTlsOptions["ca"]>): readonly (string | Uint8Array)[] {
  return typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
}

function pemText(pem: string | Uint8Array): string {
  return typeof pem === "string" ? pem : Buffer.from(pem.buffer, pem.byteOffset, pem.length).toString("latin1");
}
