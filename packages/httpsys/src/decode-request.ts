/** HTTP_REQUEST_V2 out of the buffer that HTTP.sys filled, read at fixed offsets. */
import { flag, requestHeaderIds, verb } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import { readAddress, type SocketAddress } from "./decode-address.ts";
import { type DecodedTls, readTls } from "./decode-tls.ts";
import type { ConnectionId, RequestId } from "./handles.ts";
import { RequestImage, RequestImageError } from "./request-image.ts";

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

const request = structs.HTTP_REQUEST_V2.fields;
const requestSize = structs.HTTP_REQUEST_V2.size;
const headers = structs.HTTP_REQUEST_HEADERS.fields;
const unknown = structs.HTTP_UNKNOWN_HEADER;
const known = structs.HTTP_KNOWN_HEADER;
const cooked = structs.HTTP_COOKED_URL.fields;

const methodsById: readonly (string | undefined)[] = Object.keys(verb).map((name, id) =>
  id >= verb.HttpVerbOPTIONS && id < verb.HttpVerbMaximum ? name.slice("HttpVerb".length) : undefined,
);

/**
 * Reads the request in the first `length` bytes of `buffer`, which native code knows at `base`.
 *
 * @throws {RequestImageError}
 */
export function decodeRequest(buffer: Buffer, base: bigint, length: number): DecodedRequest {
  const image = new RequestImage(buffer, base, length);
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

/** The id of a request that was too big for the buffer: the only thing in it. */
export function decodeRequestId(buffer: Buffer): RequestId {
  return buffer.readBigUInt64LE(request.RequestId[0]) as RequestId;
}

function readMethod(image: RequestImage): string {
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

function readHeaders(image: RequestImage): string[] {
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

function readCookedUrl(image: RequestImage): CookedUrl | undefined {
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
