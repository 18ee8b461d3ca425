/** What went wrong with a connection to a destination, in words for those who have to put it right. */

const untrusted = "no authority that is trusted vouches for its certificate";
const noVersion = "no TLS version is common";

/** internal: by the codes of Node and OpenSSL */
export const destinationFaults: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["CERT_NOT_YET_VALID", "its certificate is not valid yet"],
  ["CERT_REVOKED", "its certificate is revoked"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is signed by itself, and not trusted"],
  ["SELF_SIGNED_CERT_IN_CHAIN", untrusted],
  ["UNABLE_TO_GET_ISSUER_CERT", untrusted],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", untrusted],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", untrusted],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "it does not answer in TLS"],
  ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "it does not answer in TLS"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", noVersion],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", noVersion],
  ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "no HTTP version is common (ALPN)"],
  ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "it does not know the server name"],
  ["ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "it refuses the handshake: no cipher is common, or it wants a client certificate"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "it refuses the handshake: no cipher is common, or it wants a client certificate"],
]);

/** Alerts about the client's certificate (RFC 8446, 6.2); the names in the codes of OpenSSL begin with where they came up first. */
const refusesClient = /_ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN)|UNKNOWN_CA|ACCESS_DENIED)$/;

/**
 * Whether the destination refused what the client showed of itself. In TLS 1.3 it says so when the client takes the handshake for
 * complete, and a request may be on its way: the destination has not looked at it.
 */
export function refusesClientCertificate(error: Error): boolean {
  return refusesClient.test(codeOf(error));
}

/** Why a connection could not be opened or was ended by TLS, or undefined when the error's own message says it best. */
export function destinationFault(error: Error): string | undefined {
  const code = codeOf(error);
  if (refusesClient.test(code)) {
    return code.endsWith("CERTIFICATE_REQUIRED") ? "it wants a client certificate" : "it does not accept the client certificate";
  }
  const known = destinationFaults.get(code);
  if (known !== undefined) return known;
  if (code === "ECONNRESET" && error.message.includes("before secure TLS connection")) return "it closed the connection during the TLS handshake";
  // Every address of a name was tried; the error that holds them has no words of its own.
  if (error instanceof AggregateError) return `no address can be reached (${error.errors.map((each) => (each as Error).message).join(", ")})`;
  return undefined;
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}
