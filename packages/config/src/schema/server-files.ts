import { resolve } from "node:path";
import type { CertificateConfig } from "../certificate-config.ts";
import type { HttpClientConfig } from "../cluster-config.ts";
import type { ErrorPageConfig } from "../error-page-config.ts";
import type { EndpointConfig, ServerConfig } from "../gateway-config.ts";
import type { ShapePath } from "./read-shape.ts";

/** Files that a server section names stand beside the file that names them, wherever the process was started. */
export function resolveServerFiles(server: ServerConfig, directoryOf: (path: ShapePath) => string): ServerConfig {
  const file = (text: string, path: ShapePath): string => resolve(directoryOf(path), text);
  const certificate = (value: CertificateConfig, path: ShapePath): CertificateConfig => certificateFiles(value, path, file);
  const endpoint = (value: EndpointConfig, path: ShapePath): EndpointConfig => ({
    ...value,
    ...(value.certificate === undefined ? {} : { certificate: certificate(value.certificate, [...path, "Certificate"]) }),
    ...(value.sni === undefined
      ? {}
      : {
          sni: mapped(value.sni, (entry, name) =>
            entry.certificate === undefined
              ? entry
              : { ...entry, certificate: certificate(entry.certificate, [...path, "Sni", name, "Certificate"]) },
          ),
        }),
    ...(value.clientCertificateAuthorities
      ? { clientCertificateAuthorities: file(value.clientCertificateAuthorities, [...path, "ClientCertificateAuthorities"]) }
      : {}),
  });
  return {
    ...server,
    errorPages: resolvePageFiles(server.errorPages, (path) => directoryOf(["ErrorPages", ...path])),
    endpoints: mapped(server.endpoints, (value, name) => endpoint(value, ["Endpoints", name])),
    affinityKeys: server.affinityKeys.path
      ? { ...server.affinityKeys, path: file(server.affinityKeys.path, ["AffinityKeys", "Path"]) }
      : server.affinityKeys,
    certificates: mapped(server.certificates, (value, name) => certificate(value, ["Certificates", name])),
  };
}

/** Those of pages, likewise. */
export function resolvePageFiles(pages: readonly ErrorPageConfig[], directoryOf: (path: ShapePath) => string): readonly ErrorPageConfig[] {
  return pages.map((page, index) => (page?.bodyFile ? { ...page, bodyFile: resolve(directoryOf([index, "BodyFile"]), page.bodyFile) } : page));
}

function mapped<T>(record: Readonly<Record<string, T>>, change: (value: T, name: string) => T): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null) as Record<string, T>;
  for (const [name, value] of Object.entries(record)) result[name] = change(value, name);
  return result;
}

/** Those of the certificates that clusters name, likewise. */
export function resolveClientFiles(client: HttpClientConfig, directoryOf: (path: ShapePath) => string): HttpClientConfig {
  const { certificateAuthorities, clientCertificate } = client;
  const file = (text: string, path: ShapePath): string => resolve(directoryOf(path), text);
  return {
    ...client,
    ...(certificateAuthorities ? { certificateAuthorities: file(certificateAuthorities, ["CertificateAuthorities"]) } : {}),
    ...(clientCertificate === undefined ? {} : { clientCertificate: certificateFiles(clientCertificate, ["ClientCertificate"], file) }),
  };
}

function certificateFiles(value: CertificateConfig, path: ShapePath, file: (text: string, path: ShapePath) => string): CertificateConfig {
  return {
    ...value,
    ...(value.path ? { path: file(value.path, [...path, "Path"]) } : {}),
    ...(value.keyPath ? { keyPath: file(value.keyPath, [...path, "KeyPath"]) } : {}),
  };
}
