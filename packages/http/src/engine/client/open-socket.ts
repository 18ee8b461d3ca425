import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import type { DestinationOrigin, DestinationTlsOptions } from "../../destination-client.ts";

/** TLS settings of a client, prepared once: the context holds the parsed certificates. */
export interface PreparedTls {
  readonly options: DestinationTlsOptions;
  readonly context: SecureContext;
}

/** Parses certificates and keys. Throws when they are malformed. */
export function prepareTls(options: DestinationTlsOptions): PreparedTls {
  const { ca, cert, key, minVersion, maxVersion } = options;
  return {
    options,
    context: createSecureContext({
      ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(maxVersion === undefined ? {} : { maxVersion }),
    }),
  };
}

export interface OpenSocketOptions {
  readonly origin: DestinationOrigin;
  /** Undefined: cleartext. */
  readonly tls: PreparedTls | undefined;
  /** A TLS session to take up again. */
  readonly session: Buffer | undefined;
  readonly onread: OnReadOpts;
}

const keepAliveDelay = 60_000;

/**
 * Begins to open a connection to `origin`. It is ready at "connect", or at "secureConnect" with TLS: then the
 * certificate has been checked. Addresses of both families are tried as RFC 8305 says (Node's autoSelectFamily).
 */
export function openSocket(options: OpenSocketOptions): Socket {
  const { origin, tls } = options;
  // Node notices too, but leaves a handle behind.
  if (!Number.isInteger(origin.port) || origin.port < 1 || origin.port > 65_535) throw new RangeError("the port is not valid");
  const base = {
    host: origin.host,
    port: origin.port,
    allowHalfOpen: true,
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelay,
    onread: options.onread,
  };
  if (tls === undefined) return connectTcp(base);
  const name = tls.options.serverName ?? origin.host;
  return connectTls({
    ...base,
    secureContext: tls.context,
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: tls.options.acceptAnyCertificate !== true,
    // An address cannot be sent as SNI (RFC 6066, 3), but the certificate is checked against it.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(options.session === undefined ? {} : { session: options.session }),
  });
}
