/** TLS towards destinations: from the settings of a cluster and the files that they name to a client's options. */
import { readFileSync, statSync } from "node:fs";
import type { CertificateConfig, ClusterConfig, ConfigIssue, HttpClientConfig, SslProtocol } from "@proxy/config";
import { certificateExpiry, DestinationTls, TlsCertificateError, type DestinationTlsOptions, type TlsVersion } from "@proxy/http";

/** A file of the settings cannot be used. The message names the file, and nothing of what is in it. */
export class ClientFileError extends Error {
  override readonly name = "ClientFileError";
}

/** Certificates and keys are small; a larger file is a mistake. */
const largestFile = 4 * 1024 * 1024;

/** From lowest to highest. Node does not speak Ssl2 and Ssl3. */
const versions: readonly (readonly [name: SslProtocol, version: TlsVersion])[] = [
  ["Tls", "TLSv1"],
  ["Tls11", "TLSv1.1"],
  ["Tls12", "TLSv1.2"],
  ["Tls13", "TLSv1.3"],
];

/** Undefined when everything has its default. Throws `ClientFileError` for a file that cannot be read. */
export function clientTlsOptions(settings: HttpClientConfig): DestinationTlsOptions | undefined {
  const options: DestinationTlsOptions = {
    ...(settings.dangerousAcceptAnyServerCertificate === true ? { acceptAnyCertificate: true } : {}),
    ...versionOptions(settings.sslProtocols ?? []),
    ...(settings.certificateAuthorities ? { ca: readFile(settings.certificateAuthorities) } : {}),
    ...(settings.clientCertificate?.path ? certificateOptions(settings.clientCertificate) : {}),
    ...(settings.serverName ? { serverName: settings.serverName } : {}),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}

/** The files whose change makes `clientTlsOptions` say something else. */
export function clientTlsFiles({ certificateAuthorities, clientCertificate }: HttpClientConfig): readonly string[] {
  const files = [certificateAuthorities, clientCertificate?.path, clientCertificate?.keyPath];
  return [...new Set(files.filter((file) => file !== undefined && file !== ""))] as string[];
}

/** What is wrong with the files that a cluster names for its connections. */
export function clientTlsIssues({ clusterId, httpClient }: ClusterConfig): readonly ConfigIssue[] {
  if (!httpClient || clientTlsFiles(httpClient).length === 0) return [];
  const entity = { kind: "cluster", id: clusterId } as const;
  const found = (member: "CertificateAuthorities" | "ClientCertificate", part: HttpClientConfig): readonly ConfigIssue[] => {
    try {
      const options = clientTlsOptions(part);
      void new DestinationTls(options);
      const expiry = options?.cert === undefined ? undefined : certificateExpiry(options.cert);
      if (expiry === undefined || expiry.getTime() > Date.now()) return [];
      const message = `${member} of cluster '${clusterId}' expired on ${expiry.toISOString().slice(0, 10)}`;
      return [{ code: "client-certificate-expired", severity: "warning", message, entity, path: ["HttpClient", member] }];
    } catch (error) {
      if (!(error instanceof ClientFileError || error instanceof TlsCertificateError)) throw error;
      const message = `${member} of cluster '${clusterId}' cannot be used: ${error.message}`;
      return [{ code: "client-certificate-invalid", severity: "error", message, entity, path: ["HttpClient", member] }];
    }
  };
  return [
    ...found("CertificateAuthorities", { certificateAuthorities: httpClient.certificateAuthorities }),
    ...found("ClientCertificate", { clientCertificate: httpClient.clientCertificate }),
  ];
}

function versionOptions(names: readonly SslProtocol[]): DestinationTlsOptions {
  const chosen = versions.map(([name]) => names.includes(name));
  const lowest = chosen.indexOf(true);
  if (lowest < 0) return {};
  const highest = chosen.lastIndexOf(true);
  const without = versions.filter((_version, index) => index > lowest && index < highest && chosen[index] === false);
  return {
    minVersion: versions[lowest]?.[1],
    maxVersion: versions[highest]?.[1],
    ...(without.length === 0 ? {} : { withoutVersions: without.map(([, version]) => version) }),
  };
}

function certificateOptions({ path, keyPath, password }: CertificateConfig): DestinationTlsOptions {
  const content = readFile(path);
  const passphrase = password ? { passphrase: password } : {};
  // PEM says so; everything else that is a certificate with its key is PKCS #12.
  if (!content.includes("-----BEGIN ")) return { pfx: content, ...passphrase };
  return { cert: content, ...(keyPath ? { key: readFile(keyPath) } : {}), ...passphrase };
}

function readFile(path: string): Buffer {
  try {
    const found = statSync(path);
    // Before opening: a pipe keeps waiting, a device has no end.
    if (!found.isFile() || found.size > largestFile) throw new ClientFileError(`${path} is no regular file of at most 4 MiB`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof ClientFileError) throw error;
    throw new ClientFileError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, { cause: error });
  }
}
