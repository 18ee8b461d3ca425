/**
 * HTTP_REQUEST_V2 out of the buffer that HTTP.sys filled: read at fixed offsets, every pointer followed only when it and all that
 * it points to lie within the buffer.
 */
import { flag, requestHeaderIds, requestInfoType, verb } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import type { ConnectionId, RequestId } from "./handles.ts";

/** The image is not what HTTP.sys writes. */
export class RequestImageError extends Error {
  override readonly name = "RequestImageError";
  readonly code = "HTTPSYS_REQUEST_IMAGE";
}

export interface DecodedRequest {
  readonly requestId: RequestId;
  readonly connectionId: ConnectionId;
  readonly urlContext: bigint;
  readonly method: string;
  /** As on the wire, latin1. */
  readonly rawUrl: string;
  /** The URL that HTTP.sys routed by: percent-decoded, for people and logs only. */
  readonly cookedUrl: CookedUrl | undefined;
  readonly version: "1.0" | "1.1" | "2" | "3";
  /** name, value, name, value, …: known headers in the order of their ids, then the others in theirs. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  readonly remote: SocketAddress | undefined;
  readonly local: SocketAddress | undefined;
  readonly tls: DecodedTls | undefined;
}

export interface CookedUrl {
  readonly full: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

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
const requestSize = structs.HTTP_REQUEST_V2.size;
const headers = structs.HTTP_REQUEST_HEADERS.fields;
const unknown = structs.HTTP_UNKNOWN_HEADER;
const known = structs.HTTP_KNOWN_HEADER;
const cooked = structs.HTTP_COOKED_URL.fields;
const ssl = structs.HTTP_SSL_INFO;
const certificate = structs.HTTP_SSL_CLIENT_CERT_INFO;
const sslProtocol = structs.HTTP_SSL_PROTOCOL_INFO;

const methodsById: readonly (string | undefined)[] = Object.keys(verb).map((name, id) =>
  id >= verb.HttpVerbOPTIONS && id < verb.HttpVerbMaximum ? name.slice("HttpVerb".length) : undefined,
);

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
 * Reads the request in the first `length` bytes of `buffer`, which native code knows at `base`.
 *
 * @throws {RequestImageError}
 */
export function decodeRequest(buffer: Buffer, base: bigint, length: number): DecodedRequest {
  const image = new Image(buffer, base, length);
  if (image.length < requestSize) throw new RequestImageError("the image is shorter than a request");
  const flags = buffer.readUInt32LE(request.Flags[0]);
  return {
    requestId: buffer.readBigUInt64LE(request.RequestId[0]) as RequestId,
    connectionId: buffer.readBigUInt64LE(request.ConnectionId[0]) as ConnectionId,
    urlContext: buffer.readBigUInt64LE(request.UrlContext[0]),
    method: readMethod(image),
    rawUrl: image.text(request.pRawUrl[0], buffer.readUInt16LE(request.RawUrlLength[0])),
    cookedUrl: readCookedUrl(image),
    version: readVersion(buffer, flags),
    headers: readHeaders(image),
    hasBody: (flags & flag.HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS) !== 0,
    remote: readAddress(image, request.Address[0] + structs.HTTP_TRANSPORT_ADDRESS.fields.pRemoteAddress[0]),
    local: readAddress(image, request.Address[0] + structs.HTTP_TRANSPORT_ADDRESS.fields.pLocalAddress[0]),
    tls: readTls(image),
  };
}

/**
 * HTTP_SSL_CLIENT_CERT_INFO at the beginning of `buffer`. Undefined when there is none in it.
 *
 * @throws {RequestImageError}
 */
export function decodeCertificate(buffer: Buffer, base: bigint): DecodedCertificate | undefined {
  return readCertificate(new Image(buffer, base, buffer.length), 0);
}

/** The bytes that a certificate needs which did not fit. */
export function certificateSize(buffer: Buffer): number {
  return certificate.size + buffer.readUInt32LE(certificate.fields.CertEncodedSize[0]);
}

/** The id of a request that was too big for the buffer: the only thing in it. */
export function decodeRequestId(buffer: Buffer): RequestId {
  return buffer.readBigUInt64LE(request.RequestId[0]) as RequestId;
}

class Image {
  readonly buffer: Buffer;
  readonly length: number;
  readonly #base: bigint;

  constructor(buffer: Buffer, base: bigint, length: number) {
    this.buffer = buffer;
    this.#base = base;
    this.length = Math.min(length, buffer.length);
  }

  /** Where the pointer at `at` leads, or -1 for NULL: `size` bytes from there are within the image. */
  follow(at: number, size: number): number {
    const pointer = this.buffer.readBigUInt64LE(at);
    if (pointer === 0n) return -1;
    const offset = pointer - this.#base;
    if (offset < 0n || offset + BigInt(size) > BigInt(this.length)) throw new RequestImageError("a pointer leads out of the image");
    return Number(offset);
  }

  /** latin1 text of `size` bytes behind the pointer at `at`. */
  text(at: number, size: number): string {
    if (size === 0) return "";
    const from = this.follow(at, size);
    if (from < 0) throw new RequestImageError("a text has a length and no place");
    return this.buffer.toString("latin1", from, from + size);
  }

  /** UTF-16 text of `size` bytes. */
  wide(at: number, size: number): string {
    if (size === 0) return "";
    const from = this.follow(at, size);
    if (from < 0 || size % 2 !== 0) throw new RequestImageError("a wide text has no place, or half a character");
    return this.buffer.toString("utf16le", from, from + size);
  }
}

function readMethod(image: Image): string {
  const id = image.buffer.readInt32LE(request.Verb[0]);
  const method = methodsById[id];
  if (method !== undefined) return method;
  if (id !== verb.HttpVerbUnknown) throw new RequestImageError(`verb ${id}`);
  return image.text(request.pUnknownVerb[0], image.buffer.readUInt16LE(request.UnknownVerbLength[0]));
}

function readVersion(buffer: Buffer, flags: number): DecodedRequest["version"] {
  if ((flags & flag.HTTP_REQUEST_FLAG_HTTP3) !== 0) return "3";
  if ((flags & flag.HTTP_REQUEST_FLAG_HTTP2) !== 0) return "2";
  const major = buffer.readUInt16LE(request.Version[0]);
  const minor = buffer.readUInt16LE(request.Version[0] + 2);
  if (major === 1 && minor === 1) return "1.1";
  if (major === 1 && minor === 0) return "1.0";
  if (major === 2 || major === 3) return major === 2 ? "2" : "3";
  throw new RequestImageError(`HTTP version ${major}.${minor}`);
}

function readHeaders(image: Image): string[] {
  const { buffer } = image;
  const raw: string[] = [];
  const first = request.Headers[0] + headers.KnownHeaders[0];
  for (let id = 0; id < requestHeaderIds.length; id++) {
    const at = first + id * known.size;
    if (buffer.readBigUInt64LE(at + known.fields.pRawValue[0]) === 0n) continue;
    raw.push(requestHeaderIds[id] as string, image.text(at + known.fields.pRawValue[0], buffer.readUInt16LE(at)));
  }
  const count = buffer.readUInt16LE(request.Headers[0] + headers.UnknownHeaderCount[0]);
  if (count === 0) return raw;
  const list = image.follow(request.Headers[0] + headers.pUnknownHeaders[0], count * unknown.size);
  if (list < 0) throw new RequestImageError("there are unknown headers and no list of them");
  for (let i = 0; i < count; i++) {
    const at = list + i * unknown.size;
    const name = image.text(at + unknown.fields.pName[0], buffer.readUInt16LE(at + unknown.fields.NameLength[0]));
    raw.push(name, image.text(at + unknown.fields.pRawValue[0], buffer.readUInt16LE(at + unknown.fields.RawValueLength[0])));
  }
  return raw;
}

function readCookedUrl(image: Image): CookedUrl | undefined {
  const at = request.CookedUrl[0];
  const size = (offset: number): number => image.buffer.readUInt16LE(at + offset);
  if (size(cooked.FullUrlLength[0]) === 0) return undefined;
  return {
    full: image.wide(at + cooked.pFullUrl[0], size(cooked.FullUrlLength[0])),
    host: image.wide(at + cooked.pHost[0], size(cooked.HostLength[0])),
    path: image.wide(at + cooked.pAbsPath[0], size(cooked.AbsPathLength[0])),
    query: image.wide(at + cooked.pQueryString[0], size(cooked.QueryStringLength[0])),
  };
}

/** SOCKADDR_IN or SOCKADDR_IN6; the family numbers are those of Windows on every platform. */
function readAddress(image: Image, pointerAt: number): SocketAddress | undefined {
  const at = image.follow(pointerAt, structs.SOCKADDR_IN.size);
  if (at < 0) return undefined;
  const { buffer } = image;
  const family = buffer.readUInt16LE(at);
  const port = buffer.readUInt16BE(at + 2);
  if (family === flag.AF_INET) return { address: buffer.subarray(at + 4, at + 8).join("."), port };
  if (family !== flag.AF_INET6) return undefined;
  const six = image.follow(pointerAt, structs.SOCKADDR_IN6.size);
  const { sin6_addr: [addressAt], sin6_scope_id: [scopeAt] } = structs.SOCKADDR_IN6.fields;
  const scope = isLinkLocal(buffer, six + addressAt) ? buffer.readUInt32LE(six + scopeAt) : 0;
  const address = ipv6(buffer, six + addressAt);
  return { address: scope === 0 ? address : `${address}%${scope}`, port };
}

/** fe80::/10: only with the number of its interface does it name one machine, and as Node writes it. */
function isLinkLocal(buffer: Buffer, at: number): boolean {
  return (buffer.readUInt16BE(at) & 0xffc0) === 0xfe80;
}

/** Lower case, the longest run of zero groups shortened (RFC 5952); IPv4-mapped as IPv4. */
function ipv6(buffer: Buffer, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push(buffer.readUInt16BE(at + i * 2));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return buffer.subarray(at + 12, at + 16).join(".");
  let from = -1;
  let run = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > run) [from, run] = [i, end - i];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return from < 0 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + run))}`;
}

function readTls(image: Image): DecodedTls | undefined {
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

function readCertificate(image: Image, at: number): DecodedCertificate | undefined {
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

function readProtocol(image: Image): Pick<DecodedTls, "protocol" | "cipher"> {
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
