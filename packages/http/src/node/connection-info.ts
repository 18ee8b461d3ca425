import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ConnectionInfo, TlsInfo } from "../exchange.ts";

let lastConnectionId = 0;

/** The next number for a connection, unique in this process and shared by all front servers. */
export function nextConnectionId(): number {
  return ++lastConnectionId;
}

/** The facts of a connection, read once: a socket forgets its addresses when it closes. */
export function connectionInfo(socket: Socket): ConnectionInfo {
  return {
    id: nextConnectionId(),
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort,
    tls: "encrypted" in socket ? tlsInfo(socket as TLSSocket) : undefined,
  };
}

/** Shows an IPv4-mapped IPv6 address as IPv4 (RFC 4291, 2.5.5.2). */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true && address.includes(".") ? address.slice(7) : address;
}

/** The facts of a TLS connection after its handshake. */
export function tlsInfo(socket: TLSSocket): TlsInfo {
  const serverName: unknown = socket.servername;
  const certificate: Uint8Array | undefined = socket.getPeerX509Certificate()?.raw;
  return {
    serverName: typeof serverName === "string" && serverName !== "" ? serverName.toLowerCase() : undefined,
    alpnProtocol: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : undefined,
    protocol: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher()?.name,
    clientCertificate: certificate,
    clientCertificateAuthorized: certificate !== undefined && socket.authorized,
  };
}
