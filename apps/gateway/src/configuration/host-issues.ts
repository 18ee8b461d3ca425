import type { ConfigIssue, GatewayConfig } from "@proxy/config";
import { checkCertificates, TlsCertificateError } from "@proxy/http";
import { compileErrorPages, trustedPeers } from "@proxy/pipeline";
import { ListenUrlError, parseListenUrl } from "../listeners/listen-url.ts";
import { listenerSettings } from "../listeners/listener-settings.ts";
import { CertificateFileError, readCertificates } from "../listeners/read-certificates.ts";
import { AffinitySecretsError, hasAffinitySecrets, readAffinitySecrets } from "../proxy/affinity-secrets.ts";
import { declaredAddresses } from "./host-settings.ts";

/**
 * What is wrong with the settings of the process: `listen-url-invalid` for each address that cannot be listened on,
 * `certificate-invalid` for each https address whose certificates cannot be used,
 * `affinity-keys-invalid` for secrets that cannot be used,
 * `error-page` for each page for errors that cannot be used,
 * `trusted-proxy-missing` for each endpoint that waits for proxies where none is trusted,
 * `trusted-proxy-invalid` for each trusted proxy that is neither an address nor a network.
 */
export function hostIssues(config: GatewayConfig, ignoreAddresses: boolean): readonly ConfigIssue[] {
  return [...(ignoreAddresses ? [] : addressIssues(config)), ...affinityKeyIssues(config), ...errorPageIssues(config), ...trustedProxyIssues(config)];
}

function errorPageIssues({ server: { errorPages } }: GatewayConfig): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  compileErrorPages(errorPages, (path, message) => {
    issues.push({ code: "error-page", severity: "error", message: `ErrorPages: ${message}`, path: ["Server", "ErrorPages", ...path] });
  });
  return issues;
}

function addressIssues(config: GatewayConfig): readonly ConfigIssue[] {
  return declaredAddresses(config).flatMap(({ text, name, path, endpoint }): readonly ConfigIssue[] => {
    try {
      const { tls } = listenerSettings(parseListenUrl(text), config.server, endpoint);
      if (tls !== undefined && config.server.engine !== "HttpSys") checkCertificates(readCertificates(tls));
      return [];
    } catch (error) {
      if (error instanceof CertificateFileError || error instanceof TlsCertificateError || error instanceof TypeError) {
        const hint = error instanceof CertificateFileError ? error.hint : undefined;
        return [{ code: "certificate-invalid", severity: "error", message: `${name}: ${error.message}`, path, hint }];
      }
      if (!(error instanceof ListenUrlError)) throw error;
      return [{ code: "listen-url-invalid", severity: "error", message: `${name}: ${error.message}`, path, value: text }];
    }
  });
}

function affinityKeyIssues({ server: { affinityKeys } }: GatewayConfig): readonly ConfigIssue[] {
  if (!hasAffinitySecrets(affinityKeys)) return [];
  try {
    readAffinitySecrets(affinityKeys);
    return [];
  } catch (error) {
    if (!(error instanceof AffinitySecretsError)) throw error;
    return [{ code: "affinity-keys-invalid", severity: "error", message: `AffinityKeys: ${error.message}`, path: ["Server", "AffinityKeys"] }];
  }
}

function trustedProxyIssues({ server }: GatewayConfig): readonly ConfigIssue[] {
  const trustless = Object.entries(server.endpoints).filter(([, { proxyProtocol }]) => proxyProtocol === true && server.trustedProxies.length === 0);
  const nobody = trustless.map(([name]): ConfigIssue => ({
    code: "trusted-proxy-missing",
    severity: "error",
    message: `endpoint '${name}': ProxyProtocol without TrustedProxies lets nobody connect`,
    path: ["Server", "Endpoints", name, "ProxyProtocol"],
  }));
  const invalid = server.trustedProxies.flatMap((text, index) => {
    try {
      trustedPeers([text]);
      return [];
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const path = ["Server", "TrustedProxies", index];
      return [{ code: "trusted-proxy-invalid", severity: "error", message: `TrustedProxies: ${error.message}`, path, value: text } as const];
    }
  });
  return [...invalid, ...nobody];
}
