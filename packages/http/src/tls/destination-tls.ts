import { createSecureContext, type SecureContext } from "node:tls";
import type { DestinationTlsOptions } from "../destination-client.ts";
import { checkAuthorities, pemText } from "./authorities.ts";
import { reasonOf, TlsCertificateError } from "./certificate.ts";
import { versionOptions } from "./versions.ts";

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
  const { cert, key, pfx, passphrase } = options;
  const authorities = options.ca === undefined ? undefined : listOf(options.ca).map(pemText);
  authorities?.forEach(checkAuthorities);
  try {
    return createSecureContext({
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(cert === undefined ? {} : { cert: pemText(cert), key: pemText(key ?? cert) }),
      ...(pfx === undefined ? {} : { pfx: Buffer.from(pfx) }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...versionOptions(options),
    });
  } catch (error) {
    throw new TlsCertificateError(reasonOf(error as NodeJS.ErrnoException, passphrase !== undefined), { cause: error });
  }
}

function listOf(ca: NonNullable<DestinationTlsOptions["ca"]>): readonly (string | Uint8Array)[] {
  return typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
}
