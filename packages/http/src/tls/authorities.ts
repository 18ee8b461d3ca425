import { X509Certificate } from "node:crypto";
import { TlsCertificateError } from "./certificate.ts";

/**
 * OpenSSL takes a text without any certificate for no authorities at all, and then nobody could be trusted.
 *
 * @throws {TlsCertificateError} for a text without a certificate, or with one that cannot be read.
 */
export function checkAuthorities(pem: string): void {
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

/** PEM as text, whatever it came as. */
export function pemText(pem: string | Uint8Array): string {
  return typeof pem === "string" ? pem : Buffer.from(pem.buffer, pem.byteOffset, pem.length).toString("latin1");
}
