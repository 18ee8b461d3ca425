/** The configuration that the attack cases assume (`README.md`, "Profile of the proxy under test"). */

export interface ProfileOptions {
  readonly backendPort: number;
  /** Where the gateway writes its access log: the log-injection cases read it. */
  readonly accessLogFile: string;
  /** Which front server: the engine or the `node:http` adapter. */
  readonly engine: "http1" | "node";
  /** Given: further endpoints for HTTP/2 in cleartext and for TLS, announced in this order. */
  readonly certificate?: { readonly path: string; readonly keyPath: string } | undefined;
}

export function profile({ backendPort, accessLogFile, engine, certificate }: ProfileOptions): unknown {
  const further = certificate === undefined ? {} : {
    Certificates: { Default: { Path: certificate.path, KeyPath: certificate.keyPath } },
    Endpoints: {
      Http2: { Url: "http://127.0.0.1:0", Protocols: "Http2" },
      Tls: { Url: "https://127.0.0.1:0" },
    },
  };
  return {
    Urls: "http://127.0.0.1:0",
    Server: {
      ...further,
      Engine: engine,
      AccessLog: { Path: accessLogFile },
      Limits: {
        RequestHeadersTimeout: "3s",
        KeepAliveTimeout: "3s",
        MinRequestBodyDataRate: { BytesPerSecond: 240, GracePeriod: "5s" },
        MaxRequestBodySize: 1_048_576,
        MaxRequestHeadersTotalSize: 32_768,
        MaxRequestLineSize: 8192,
      },
    },
    ReverseProxy: {
      Routes: {
        admin: { Match: { Path: "/admin/{**rest}" }, Respond: { StatusCode: 403 } },
        all: { ClusterId: "backend", Match: { Path: "/{**rest}" } },
      },
      Clusters: {
        backend: {
          HttpClient: { ConnectTimeout: "1s" },
          HttpRequest: { Version: "1.1", VersionPolicy: "RequestVersionExact", ActivityTimeout: "3s" },
          Destinations: { only: { Address: `http://127.0.0.1:${backendPort}` } },
        },
      },
    },
  };
}
