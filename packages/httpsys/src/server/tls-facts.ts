import type { TlsInfo } from "@proxy/http";
import { requestProperty } from "../abi/constants.ts";
import { structs } from "../abi/structs.ts";
import type { DecodedRequest } from "../decode-request.ts";
import type { RequestId } from "../handles.ts";
import type { Listening } from "../listening.ts";

/** The facts of a TLS connection, which a certificate may be added to. */
export class HttpSysTlsInfo implements TlsInfo {
  readonly serverName: string | undefined;
  readonly alpnProtocol: string;
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  clientCertificate: Uint8Array | undefined;
  clientCertificateAuthorized: boolean;

  constructor(serverName: string | undefined, version: DecodedRequest["version"], tls: NonNullable<DecodedRequest["tls"]>) {
    this.serverName = serverName;
    this.alpnProtocol = version === "2" ? "h2" : version === "3" ? "h3" : "http/1.1";
    this.protocol = tls.protocol;
    this.cipher = tls.cipher;
    this.clientCertificate = tls.clientCertificate;
    this.clientCertificateAuthorized = tls.clientCertificateValid;
  }
}

/** What the first request of a connection tells of its TLS; undefined for cleartext. */
export function tlsFacts(listening: Listening, { requestId, version, tls }: DecodedRequest): HttpSysTlsInfo | undefined {
  return tls === undefined ? undefined : new HttpSysTlsInfo(serverNameOf(listening, requestId), version, tls);
}

const sni = structs.HTTP_REQUEST_PROPERTY_SNI;
/** HTTP_REQUEST_PROPERTY_SNI_FLAG_SNI_USED. */
const sniUsed = 1;

/** Undefined when the client named no server, and where this Windows does not tell (before Windows 10 2004). */
function serverNameOf({ library, queue }: Listening, id: RequestId): string | undefined {
  const query = library.find("HttpQueryRequestProperty");
  if (query === undefined) return undefined;
  const { buffer } = library.memory(sni.size);
  const code = query(queue, id, requestProperty.HttpRequestPropertySni, 0n, 0, buffer, sni.size, 0n, 0n);
  if (code !== 0 || (buffer.readUInt32LE(sni.fields.Flags[0]) & sniUsed) === 0) return undefined;
  const name = buffer.toString("utf16le", 0, sni.fields.Flags[0]);
  const end = name.indexOf("\0");
  return (end < 0 ? name : name.slice(0, end)).toLowerCase();
}
