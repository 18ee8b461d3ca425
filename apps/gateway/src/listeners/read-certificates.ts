import { readFileSync } from "node:fs";
import type { CertificateConfig, SslProtocol } from "@proxy/config";
import type { FrontTlsSettings, TlsCertificate } from "@proxy/http";
import type { ListenerTls } from "./listener-settings.ts";

/** The certificates of a listener cannot be used. `message` names the file, never its content. */
export class CertificateFileError extends Error {
  override readonly name = "CertificateFileError";
  readonly hint: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly hint?: string | undefined } = {}) {
    super(message, options);
    this.hint = options.hint;
  }
}

/** Reads the files that `tls` names. Throws `CertificateFileError`. */
export function readCertificates(tls: ListenerTls): FrontTlsSettings {
  if (tls.certificate === undefined && tls.serverNames.length === 0) {
    const hint = "there is no development certificate as with .NET: `gateway dev-cert` makes one and says what to write; or `run --urls http://…`";
    throw new CertificateFileError("an https address needs a Certificate, Sni or Certificates:Default", { hint });
  }
  return {
    certificate: tls.certificate === undefined ? undefined : readCertificate(tls.certificate),
    serverNames: tls.serverNames.map(([pattern, certificate]) => [pattern, readCertificate(certificate)] as const),
    ...tlsVersions(tls.sslProtocols),
    clientAuthorities: tls.clientAuthorities === undefined ? undefined : readFile(tls.clientAuthorities),
  };
}

/** All files whose change makes `readCertificates` say something else. */
export function certificateFiles(tls: ListenerTls): readonly string[] {
  const certificates = [tls.certificate, ...tls.serverNames.map(([, certificate]) => certificate)];
  const files = certificates.flatMap((certificate) => [certificate?.path, certificate?.keyPath]);
  return [...new Set([...files, tls.clientAuthorities].filter((file) => file !== undefined && file !== ""))] as string[];
}

function readCertificate({ path, keyPath, password }: CertificateConfig): TlsCertificate {
  if (!path) throw new CertificateFileError("a Certificate has no Path");
  const passphrase = password === "" ? undefined : password;
  const content = readFile(path);
  // PEM says so; everything else that is a certificate with its key is PKCS #12.
  if (!content.includes("-----BEGIN ")) return { pfx: content, passphrase };
  return { cert: content, key: keyPath ? readFile(keyPath) : undefined, passphrase };
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CertificateFileError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
}

type TlsVersion = NonNullable<FrontTlsSettings["minVersion"]>;

const versions: Readonly<Record<SslProtocol | "None", TlsVersion | undefined>> = {
  None: undefined,
  // Node speaks neither.
  Ssl2: undefined,
  Ssl3: undefined,
  Tls: "TLSv1",
  Tls11: "TLSv1.1",
  Tls12: "TLSv1.2",
  Tls13: "TLSv1.3",
};

const order: readonly TlsVersion[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

function tlsVersions(names: ListenerTls["sslProtocols"]): Pick<FrontTlsSettings, "minVersion" | "maxVersion" | "withoutVersions"> {
  const chosen = (names ?? []).flatMap((name) => versions[name] ?? []).sort();
  if (chosen.length === 0) {
    if ((names ?? []).some((name) => name !== "None")) throw new CertificateFileError("SslProtocols names no version that can be spoken");
    return {};
  }
  const lowest = order.indexOf(chosen[0]!);
  const highest = order.indexOf(chosen.at(-1)!);
  return {
    minVersion: order[lowest],
    maxVersion: order[highest],
    withoutVersions: order.slice(lowest, highest).filter((version) => !chosen.includes(version)),
  };
}
