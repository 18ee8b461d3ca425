import type { CertificateConfig, EndpointConfig, EndpointProtocols, ServerConfig } from "@proxy/config";
import type { ListenUrl } from "./listen-url.ts";

/** An address to listen on, and how connections are served there. */
export interface ListenerSettings extends ListenUrl {
  readonly protocols: EndpointProtocols;
  /** Connections begin with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Milliseconds for it. Undefined: the default. */
  readonly proxyProtocolTimeout: number | undefined;
  /** Of an https address. */
  readonly tls: ListenerTls | undefined;
}

/** Which files hold the certificates of a listener, and what else its TLS needs. */
export interface ListenerTls {
  readonly certificate: CertificateConfig | undefined;
  readonly serverNames: readonly (readonly [pattern: string, certificate: CertificateConfig])[];
  readonly sslProtocols: EndpointConfig["sslProtocols"];
  readonly clientCertificateMode: NonNullable<EndpointConfig["clientCertificateMode"]>;
  readonly clientAuthorities: string | undefined;
}

/** What a listener at `address` is: with the settings of its endpoint, when it is one. */
export function listenerSettings(address: ListenUrl, server: ServerConfig, endpoint?: EndpointConfig): ListenerSettings {
  const secure = address.secure === true;
  const asked = endpoint?.protocols ?? server.endpointDefaults.protocols ?? (secure ? "Http1AndHttp2" : "Http1");
  const protocols = !secure && asked === "Http1AndHttp2" ? "Http1" : asked;
  const { proxyProtocol = false, proxyProtocolTimeout } = endpoint ?? {};
  return { ...address, protocols, proxyProtocol, proxyProtocolTimeout, tls: secure ? listenerTls(server, endpoint) : undefined };
}

function listenerTls({ certificates, endpointDefaults }: ServerConfig, endpoint: EndpointConfig | undefined): ListenerTls {
  const byDefault = Object.entries(certificates).find(([name]) => name.toLowerCase() === "default")?.[1];
  const certificate = endpoint?.certificate ?? byDefault;
  return {
    certificate,
    serverNames: Object.entries(endpoint?.sni ?? {}).flatMap(([pattern, sni]) => {
      const own = sni.certificate ?? certificate;
      return own === undefined ? [] : [[pattern, own] as const];
    }),
    sslProtocols: endpoint?.sslProtocols ?? endpointDefaults.sslProtocols,
    clientCertificateMode: endpoint?.clientCertificateMode ?? endpointDefaults.clientCertificateMode ?? "NoCertificate",
    clientAuthorities: endpoint?.clientCertificateAuthorities,
  };
}
