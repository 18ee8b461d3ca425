/** A certificate with its key, in files: PEM, or PKCS #12 (`.pfx`, `.p12`). */
export interface CertificateConfig {
  /** File of the certificate and its chain, or of both certificate and key. */
  readonly path: string;
  /** File of the private key in PEM. Default: in `path`. */
  readonly keyPath?: string | undefined;
  /** Opens an encrypted key or PKCS #12 file. */
  readonly password?: string | undefined;
}
