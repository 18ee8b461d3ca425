/** The whole of a gateway's configuration file: where it listens, its limits, and the proxy itself. */
import type { CertificateConfig } from "./certificate-config.ts";
import type { SslProtocol } from "./cluster-config.ts";
import type { ErrorPageConfig } from "./error-page-config.ts";
import type { ProxyConfig } from "./proxy-config.ts";

/** All that a gateway's files say. */
export interface GatewayConfig {
  /** Addresses to listen on, in addition to the endpoints of `server`: `http://127.0.0.1:8080`, `http://*:80`. Default: none. */
  readonly urls: readonly string[];
  readonly server: ServerConfig;
  readonly reverseProxy: ProxyConfig;
  readonly logging: LoggingConfig;
}

export interface ServerConfig {
  readonly limits: ServerLimitsConfig;
  /** Named listeners. Names are unique ignoring case. Default: none. */
  readonly endpoints: Readonly<Record<string, EndpointConfig>>;
  /** What holds for endpoints, and addresses of `urls`, that say nothing themselves. */
  readonly endpointDefaults: EndpointDefaultsConfig;
  /** Certificates by name. `Default` serves the https listeners that have none of their own. */
  readonly certificates: Readonly<Record<string, CertificateConfig>>;
  /** Milliseconds that requests in flight may take to finish when the gateway stops. Default 30 000. */
  readonly shutdownTimeout: number;
  /**
   * Addresses and networks (`10.0.0.0/8`) of proxies in front of this one. What they say in `X-Forwarded-*` and `Forwarded`
   * is believed, and at endpoints with `proxyProtocol` what their PROXY headers say; from anybody else those headers are removed.
   * Default: none.
   */
  readonly trustedProxies: readonly string[];
  /** Secrets behind the session keys of `Cookie` and `CustomHeader`. Default: a random one, which dies with the process. */
  readonly affinityKeys: AffinityKeysConfig;
  /** Pages for errors that the gateway answers with, and, where a page says so, destinations. A route's own come first. Default: none. */
  readonly errorPages: readonly ErrorPageConfig[];
  /** One line per request. Default: off. */
  readonly accessLog: AccessLogConfig;
  /** What serves the addresses: the engine of this toolkit, the server of `node:http`, or HTTP.sys. Default `http1`. */
  readonly engine: ServerEngine;
  readonly httpSys: HttpSysConfig;
  readonly delegation: SocketDelegationConfig;
  /** A line in the log, and in the access log as JSON, of what each WebSocket carried. Default false. */
  readonly webSocketTelemetry: boolean;
}

/** `http1` is the engine of `@proxy/http`, `node` its adapter of `node:http`, `HttpSys` the server of `@proxy/httpsys`. */
export type ServerEngine = "http1" | "node" | "HttpSys";

/** For the engine `HttpSys` only. */
export interface HttpSysConfig {
  /** Name of the request queue, which other processes can open. Default: a queue without a name. With one address only. */
  readonly queueName?: string | undefined;
  /** Another library with the HTTP Server API. Default: that of Windows. */
  readonly libraryPath?: string | undefined;
}

/** For destinations whose connections are handed to another process over its socket. */
export interface SocketDelegationConfig {
  /** Most requests for one process that it has not taken yet, 1 to 65536. 503 beyond. Default 4096. */
  readonly backlog?: number | undefined;
}

/** The same on all gateways that share clients. The first secret protects, the others only read; those of the file come first. */
export interface AffinityKeysConfig {
  /** File with a secret of at least 32 bytes on each line; read again when it changes. */
  readonly path?: string | undefined;
  /** Secrets from the environment. Read at start. */
  readonly secrets?: readonly string[] | undefined;
}

export interface AccessLogConfig {
  /** Default: true when a path or a format is given, otherwise false. */
  readonly enabled?: boolean | undefined;
  /** File that lines are appended to. Default: standard error. */
  readonly path?: string | undefined;
  /** Default `Combined`. */
  readonly format?: "Combined" | "Json" | undefined;
  /** Names of query parameters whose values are written as `***`, beside those of API keys, of sign-ins and of tokens. Default: none. */
  readonly maskedParameters?: readonly string[] | undefined;
}

export interface EndpointConfig {
  /** Scheme, host and port to listen on: `http://localhost:5000`, `https://[::1]:0`, `http://*:80`. Port 0 takes a free one. */
  readonly url: string;
  /** Default `Http1AndHttp2` over TLS, where ALPN decides, and `Http1` in cleartext. */
  readonly protocols?: EndpointProtocols | undefined;
  /** For clients that name no server, or one that `sni` does not have. Default: `Certificates:Default`. */
  readonly certificate?: CertificateConfig | undefined;
  /** By server name: `example.org`, `*.example.org`, `*`. */
  readonly sni?: Readonly<Record<string, SniConfig>> | undefined;
  /** TLS versions. Default: 1.2 and 1.3. */
  readonly sslProtocols?: readonly (SslProtocol | "None")[] | undefined;
  /**
   * Extension: connections begin with a header of the PROXY protocol, version 1 or 2, before TLS; only `trustedProxies` may connect.
   * Default false.
   */
  readonly proxyProtocol?: boolean | undefined;
  /** Extension: milliseconds for that header to come as a whole; the connection is closed beyond. Default 5000. */
  readonly proxyProtocolTimeout?: number | undefined;
  /** Default `NoCertificate`. */
  readonly clientCertificateMode?: ClientCertificateMode | undefined;
  /** Extension: file with the authorities (PEM) that vouch for clients. Default: those that Node knows. */
  readonly clientCertificateAuthorities?: string | undefined;
}

/** As in `EndpointConfig`. */
export type EndpointDefaultsConfig = Pick<EndpointConfig, "protocols" | "sslProtocols" | "clientCertificateMode">;

/** What an endpoint speaks. In cleartext `Http1AndHttp2` is HTTP/1.1, and `Http2` is HTTP/2 by prior knowledge. */
export type EndpointProtocols = "Http1" | "Http2" | "Http1AndHttp2";

/** Whether clients of a TLS endpoint are asked for a certificate. */
export type ClientCertificateMode = "NoCertificate" | "AllowCertificate" | "RequireCertificate";

/** What holds for clients that name one server. */
export interface SniConfig {
  readonly certificate?: CertificateConfig | undefined;
}

/** Limits of the listening side with Kestrel's names. Undefined: the server's default, as given with each. */
export interface ServerLimitsConfig {
  /** Bytes of the request line (method, target, version). Default 8192. */
  readonly maxRequestLineSize?: number | undefined;
  /** Bytes of all header lines of a request together. Default 32 768. */
  readonly maxRequestHeadersTotalSize?: number | undefined;
  /** Header lines of a request. Default 100. */
  readonly maxRequestHeaderCount?: number | undefined;
  /** Bytes of a request body; null is unlimited. Default 30 000 000. */
  readonly maxRequestBodySize?: number | null | undefined;
  /** Milliseconds for a request's head to arrive. Default 30 000. */
  readonly requestHeadersTimeout?: number | undefined;
  /** Milliseconds a connection may idle between requests. Default 130 000. */
  readonly keepAliveTimeout?: number | undefined;
  /** Slowest request body; null is no minimum. Default 240 bytes per second after 5 s. */
  readonly minRequestBodyDataRate?: MinDataRateConfig | null | undefined;
  /** Slowest reader of a response; null is no minimum. Default 240 bytes per second after 5 s. */
  readonly minResponseDataRate?: MinDataRateConfig | null | undefined;
  /** Open connections over all addresses of the gateway together; null is unlimited. Default unlimited. */
  readonly maxConcurrentConnections?: number | null | undefined;
  /** Upgraded connections (WebSocket) over all addresses of the gateway together; null is unlimited. Default unlimited. */
  readonly maxConcurrentUpgradedConnections?: number | null | undefined;
  /** Bytes of a request held before reading stops. Default 1 048 576. */
  readonly maxRequestBufferSize?: number | undefined;
  /** Bytes of a response held before the destination is slowed down. Default 65 536. */
  readonly maxResponseBufferSize?: number | undefined;
  /** Extension: requests on one connection before it is closed; null is unlimited. Default unlimited. */
  readonly maxRequestsPerConnection?: number | null | undefined;
  /** Extension: milliseconds without anything sent until a client that half-closed counts as gone. Default 2000. */
  readonly halfClosedTimeout?: number | undefined;
}

export interface MinDataRateConfig {
  /** Bytes per second, above 0. Default 240. */
  readonly bytesPerSecond?: number | undefined;
  /** Milliseconds before the rate is enforced. Default 5000. */
  readonly gracePeriod?: number | undefined;
}

/** From all to nothing, with .NET's names. */
export type LogLevel = "Trace" | "Debug" | "Information" | "Warning" | "Error" | "Critical" | "None";

export interface LoggingConfig {
  /** Least severe level that is logged (`Logging:LogLevel:Default`). Default `Information`. */
  readonly level: LogLevel;
}

/** What holds where a file says nothing. */
export const defaultServerConfig: ServerConfig = {
  limits: {},
  endpoints: {},
  endpointDefaults: {},
  certificates: {},
  shutdownTimeout: 30_000,
  trustedProxies: [],
  errorPages: [],
  affinityKeys: {},
  accessLog: {},
  engine: "http1",
  httpSys: {},
  delegation: {},
  webSocketTelemetry: false,
};
