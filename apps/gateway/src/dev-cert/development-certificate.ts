import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

export interface DevelopmentCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8, not encrypted. */
  readonly key: string;
  readonly notAfter: Date;
  /** SHA-256 of the certificate in hex with colons. */
  readonly fingerprint: string;
}

export interface DevelopmentCertificateOptions {
  /** Host names and IP addresses, the first one also as common name. */
  readonly names: readonly string[];
  readonly days: number;
  /** Default: now. */
  readonly now?: Date | undefined;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 86_400_000;
/** Clocks of containers and guests are often a little behind. */
const backdated = 3_600_000;
const serverAuth = "1.3.6.1.5.5.7.3.1";

/**
 * A certificate for servers of this machine, signed by itself: whoever trusts it trusts nothing else, as it can sign no other
 * (RFC 5280, 4.2.1.9).
 */
export async function createDevelopmentCertificate(options: DevelopmentCertificateOptions): Promise<DevelopmentCertificate> {
  const { names, days, now = new Date() } = options;
  // The library's own container asks for it; both are loaded for this command alone.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const crypto = webcrypto as unknown as Crypto;
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const notAfter = new Date(now.getTime() + days * day);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [names[0] ?? "localhost"] }, { O: ["Development certificate of a gateway"] }],
      notBefore: new Date(now.getTime() - backdated),
      notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) === 0 ? "dns" : "ip", value: name }))),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }).toString();
  const certificate = `${made.toString("pem").trimEnd()}\n`;
  return { certificate, key, notAfter, fingerprint: new X509Certificate(certificate).fingerprint256 };
}
