import { constants } from "node:crypto";
import { DEFAULT_CIPHERS, type SecureContextOptions } from "node:tls";
import type { TlsVersion } from "../destination-client.ts";

/** The switch of OpenSSL that takes a version out from between the lowest and the highest. */
const withoutVersion: Readonly<Record<TlsVersion, number>> = {
  "TLSv1": constants.SSL_OP_NO_TLSv1,
  "TLSv1.1": constants.SSL_OP_NO_TLSv1_1,
  "TLSv1.2": constants.SSL_OP_NO_TLSv1_2,
  "TLSv1.3": constants.SSL_OP_NO_TLSv1_3,
};

export interface TlsVersions {
  /** Default: Node's, TLS 1.2. */
  readonly minVersion?: TlsVersion | undefined;
  /** Default: Node's, TLS 1.3. */
  readonly maxVersion?: TlsVersion | undefined;
  /** Versions between these two that are not spoken. */
  readonly withoutVersions?: readonly TlsVersion[] | undefined;
}

/** What a secure context needs to speak these versions and no others; `secureOptions` are what it has besides. */
export function versionOptions(versions: TlsVersions, secureOptions = 0): SecureContextOptions {
  const { minVersion, maxVersion, withoutVersions = [] } = versions;
  const flags = withoutVersions.reduce((sum, version) => sum | withoutVersion[version], secureOptions);
  return {
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    // OpenSSL's security level 1 leaves no cipher to the versions before 1.2: who asks for one of them has to have it.
    ...(minVersion === "TLSv1" || minVersion === "TLSv1.1" ? { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}),
    ...(flags === 0 ? {} : { secureOptions: flags }),
  };
}
