/** What HTTP.sys tells of a connection's TLS, and of the client's certificate. */
import { requestInfoType } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import { RequestImage } from "./request-image.ts";

export interface DecodedTls {
  /** "TLSv1.2"; undefined when HTTP.sys did not tell. */
  readonly protocol: string | undefined;
  /** "AES_256": HTTP.sys tells no suite, but its bulk cipher; undefined when it did not tell, or one that is not known here. */
  readonly cipher: string | undefined;
  readonly keySize: number;
  readonly clientCertificate: Uint8Array | undefined;
  /** HTTP.sys found no fault with it. */
  readonly clientCertificateValid: boolean;
  readonly token: bigint;
}

/** What HttpReceiveClientCertificate gave. */
export interface DecodedCertificate {
  readonly bytes: Uint8Array;
  /** HTTP.sys found no fault with it. */
  readonly isValid: boolean;
  /** The HANDLE of the account that the certificate is mapped to, for whoever decodes it to close; 0n without one. */
  readonly token: bigint;
}

const request = structs.HTTP_REQUEST_V2.fields;
const ssl = structs.HTTP_SSL_INFO;
const certificate = structs.HTTP_SSL_CLIENT_CERT_INFO;
const sslProtocol = structs.HTTP_SSL_PROTOCOL_INFO;

/** Schannel's SP_PROT_*: client and server bit of each. */
const protocols: readonly (readonly [mask: number, name: string])[] = [
  [0x3000, "TLSv1.3"],
  [0x0c00, "TLSv1.2"],
  [0x0300, "TLSv1.1"],
  [0x00c0, "TLSv1"],
];

/** CryptoAPI's CALG_*. */
const ciphers: ReadonlyMap<number, string> = new Map([
  [0x660e, "AES_128"],
  [0x660f, "AES_192"],
  [0x6610, "AES_256"],
  [0x6603, "3DES"],
  [0x6801, "RC4"],
]);

/**
 * HTTP_SSL_CLIENT_CERT_INFO at the beginning of `buffer`. Undefined when there is none in it.
 *
 * @throws {RequestImageError}
 */
export function decodeCertificate(buffer: Buffer, base: bigint): DecodedCertificate | undefined {
  return readCertificate(new RequestImage(buffer, base, buffer.length), 0);
}

/** The bytes that a certificate needs which did not fit. */
export function certificateSize(buffer: Buffer): number {
  return certificate.size + buffer.readUInt32LE(certificate.fields.CertEncodedSize[0]);
}

/** Undefined in cleartext. */
export function readTls(image: RequestImage): DecodedTls | undefined {
  const at = image.follow(request.pSslInfo[0], ssl.size);
  if (at < 0) return undefined;
  const cert = image.follow(at + ssl.fields.pClientCertInfo[0], certificate.size);
  const clientCertificate = cert < 0 ? undefined : readCertificate(image, cert);
  return {
    ...readProtocol(image),
    keySize: image.buffer.readUInt16LE(at + ssl.fields.ConnectionKeySize[0]),
    clientCertificate: clientCertificate?.bytes,
    clientCertificateValid: clientCertificate?.isValid === true,
    token: clientCertificate?.token ?? 0n,
  };
}

function readCertificate(image: RequestImage, at: number): DecodedCertificate | undefined {
  const { buffer } = image;
  const size = buffer.readUInt32LE(at + certificate.fields.CertEncodedSize[0]);
  const bytes = size === 0 ? -1 : image.follow(at + certificate.fields.pCertEncoded[0], size);
  if (bytes < 0) return undefined;
  // A copy: the buffer serves other requests later.
  return {
    bytes: Uint8Array.from(buffer.subarray(bytes, bytes + size)),
    isValid: buffer.readUInt32LE(at + certificate.fields.CertFlags[0]) === 0,
    token: buffer.readBigUInt64LE(at + certificate.fields.Token[0]),
  };
}

function readProtocol(image: RequestImage): Pick<DecodedTls, "protocol" | "cipher"> {
  const { buffer } = image;
  const info = structs.HTTP_REQUEST_INFO;
  const count = buffer.readUInt16LE(request.RequestInfoCount[0]);
  const list = count === 0 ? -1 : image.follow(request.pRequestInfo[0], count * info.size);
  for (let i = 0; i < (list < 0 ? 0 : count); i++) {
    const at = list + i * info.size;
    if (buffer.readInt32LE(at + info.fields.InfoType[0]) !== requestInfoType.HttpRequestInfoTypeSslProtocol) continue;
    const place = image.follow(at + info.fields.pInfo[0], sslProtocol.size);
    if (place < 0) break;
    const bits = buffer.readUInt32LE(place + sslProtocol.fields.Protocol[0]);
    return {
      protocol: protocols.find(([mask]) => (bits & mask) !== 0)?.[1],
      cipher: ciphers.get(buffer.readUInt32LE(place + sslProtocol.fields.CipherType[0])),
    };
  }
  return { protocol: undefined, cipher: undefined };
}
