/** HTTP_RESPONSE_V2 and data chunks in one block of memory, which must live until the call that uses it has ended. */
import { dataChunkType, flag, responseHeaderIds, responseInfoType } from "./abi/constants.ts";
import { structs } from "./abi/structs.ts";
import type { HttpSysLibrary, Memory } from "./binding.ts";

/** What a data chunk is made of: bytes that live elsewhere, a part of a file, or, as the last of all, trailers of HTTP/2 and later. */
export type ResponsePiece = Uint8Array | FileRange | TrailerLines;

export interface TrailerLines {
  /** name, value, name, value, …: checked already, one at the least. */
  readonly trailers: readonly string[];
}

/** A part of a file, which HTTP.sys sends by itself. */
export interface FileRange {
  /** A Windows HANDLE of a file opened for reading (a file descriptor for a double). */
  readonly fileHandle: bigint;
  readonly offset: bigint;
  readonly length: bigint;
}

export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** name, value, name, value, …: checked already. */
  readonly headers: readonly string[];
  /** The head of an upgrade: HTTP.sys takes its Connection field as an unknown header only. */
  readonly opaque?: boolean | undefined;
}

const knownIds: ReadonlyMap<string, number> = new Map(responseHeaderIds.map((name, id) => [name.toLowerCase(), id]));
const response = structs.HTTP_RESPONSE_V2;
const headersAt = response.fields.Headers[0];
const headers = structs.HTTP_RESPONSE_HEADERS.fields;
const known = structs.HTTP_KNOWN_HEADER;
const unknown = structs.HTTP_UNKNOWN_HEADER;
const many = structs.HTTP_MULTIPLE_KNOWN_HEADERS;
const info = structs.HTTP_RESPONSE_INFO;
const chunk = structs.HTTP_DATA_CHUNK;

/** A response head with its first pieces of body. The memory refers to the pieces: hold both. */
export function encodeResponse(library: HttpSysLibrary, { status, reason, headers: raw, opaque = false }: ResponseParts, pieces: readonly ResponsePiece[]): Memory {
  const values: string[][] = [];
  const others: string[] = [];
  let text = reason.length;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const key = name.toLowerCase();
    const id = opaque && key === "connection" ? undefined : knownIds.get(key);
    text += name.length + value.length;
    if (id === undefined) others.push(name, value);
    else (values[id] ??= []).push(value);
  }
  const repeated = values.filter((list) => list.length > 1);
  const entries = repeated.reduce((sum, list) => sum + list.length, 0);
  const size =
    response.size + pieces.length * chunk.size + (others.length / 2) * unknown.size +
    repeated.length * (info.size + many.size) + entries * known.size + text;

  const memory = library.memory(size);
  const { buffer, address } = memory;
  const place = { structures: response.size, text: size - text };
  const take = (bytes: number): number => {
    const at = place.structures;
    place.structures += bytes;
    return at;
  };
  const pointer = (at: number, to: number): void => void buffer.writeBigUInt64LE(address + BigInt(to), at);
  const putText = (value: string, lengthAt: number, pointerAt: number): void => {
    buffer.write(value, place.text, "latin1");
    buffer.writeUInt16LE(value.length, lengthAt);
    pointer(pointerAt, place.text);
    place.text += value.length;
  };

  buffer.writeUInt16LE(1, response.fields.Version[0]);
  buffer.writeUInt16LE(1, response.fields.Version[0] + 2);
  buffer.writeUInt16LE(status, response.fields.StatusCode[0]);
  putText(reason, response.fields.ReasonLength[0], response.fields.pReason[0]);

  if (pieces.length > 0) {
    const at = take(pieces.length * chunk.size);
    buffer.writeUInt16LE(pieces.length, response.fields.EntityChunkCount[0]);
    pointer(response.fields.pEntityChunks[0], at);
    for (let i = 0; i < pieces.length; i++) writeChunk(library, memory, at + i * chunk.size, pieces[i] as ResponsePiece);
  }

  if (repeated.length > 0) {
    const list = take(repeated.length * info.size);
    buffer.writeUInt16LE(repeated.length, response.fields.ResponseInfoCount[0]);
    pointer(response.fields.pResponseInfo[0], list);
    let n = 0;
    values.forEach((all, id) => {
      if (all.length < 2) return;
      const at = list + n++ * info.size;
      const head = take(many.size);
      const array = take(all.length * known.size);
      buffer.writeInt32LE(responseInfoType.HttpResponseInfoTypeMultipleKnownHeaders, at + info.fields.Type[0]);
      buffer.writeUInt32LE(many.size, at + info.fields.Length[0]);
      pointer(at + info.fields.pInfo[0], head);
      buffer.writeInt32LE(id, head + many.fields.HeaderId[0]);
      buffer.writeUInt32LE(flag.HTTP_RESPONSE_INFO_FLAGS_PRESERVE_ORDER, head + many.fields.Flags[0]);
      buffer.writeUInt16LE(all.length, head + many.fields.KnownHeaderCount[0]);
      pointer(head + many.fields.KnownHeaders[0], array);
      all.forEach((value, i) => {
        const entry = array + i * known.size;
        putText(value, entry + known.fields.RawValueLength[0], entry + known.fields.pRawValue[0]);
      });
    });
  }
  values.forEach((all, id) => {
    if (all.length !== 1) return;
    const at = headersAt + headers.KnownHeaders[0] + id * known.size;
    putText(all[0] as string, at + known.fields.RawValueLength[0], at + known.fields.pRawValue[0]);
  });

  if (others.length > 0) {
    const list = take((others.length / 2) * unknown.size);
    buffer.writeUInt16LE(others.length / 2, headersAt + headers.UnknownHeaderCount[0]);
    pointer(headersAt + headers.pUnknownHeaders[0], list);
    for (let i = 0; i < others.length; i += 2) {
      const at = list + (i / 2) * unknown.size;
      putText(others[i] as string, at + unknown.fields.NameLength[0], at + unknown.fields.pName[0]);
      putText(others[i + 1] as string, at + unknown.fields.RawValueLength[0], at + unknown.fields.pRawValue[0]);
    }
  }
  return memory;
}

/** Data chunks alone, for the body that follows a head. Undefined for none. */
export function encodeChunks(library: HttpSysLibrary, pieces: readonly ResponsePiece[]): Memory | undefined {
  if (pieces.length === 0) return undefined;
  const last = pieces.at(-1) as ResponsePiece;
  const lines = "trailers" in last ? last.trailers : [];
  const list = pieces.length * chunk.size;
  const memory = library.memory(list + trailersSize(lines));
  for (let i = 0; i < pieces.length; i++) writeChunk(library, memory, i * chunk.size, pieces[i] as ResponsePiece, list);
  return memory;
}

function trailersSize(lines: readonly string[]): number {
  return lines.reduce((sum, text) => sum + text.length, (lines.length / 2) * unknown.size);
}

function writeChunk(library: HttpSysLibrary, memory: Memory, at: number, piece: ResponsePiece, trailersAt?: number): void {
  const { buffer } = memory;
  if (piece instanceof Uint8Array) {
    buffer.writeInt32LE(dataChunkType.HttpDataChunkFromMemory, at);
    buffer.writeBigUInt64LE(library.addressOf(piece), at + chunk.fields["FromMemory.pBuffer"][0]);
    buffer.writeUInt32LE(piece.length, at + chunk.fields["FromMemory.BufferLength"][0]);
    return;
  }
  if ("trailers" in piece) {
    if (trailersAt === undefined) throw new TypeError("trailers go out after the head, in a call of their own");
    buffer.writeInt32LE(dataChunkType.HttpDataChunkTrailers, at);
    buffer.writeUInt16LE(piece.trailers.length / 2, at + chunk.fields["Trailers.TrailerCount"][0]);
    buffer.writeBigUInt64LE(memory.address + BigInt(trailersAt), at + chunk.fields["Trailers.pTrailers"][0]);
    writeTrailers(memory, trailersAt, piece.trailers);
    return;
  }
  const range = at + chunk.fields["FromFileHandle.ByteRange"][0];
  buffer.writeInt32LE(dataChunkType.HttpDataChunkFromFileHandle, at);
  buffer.writeBigUInt64LE(piece.offset, range + structs.HTTP_BYTE_RANGE.fields.StartingOffset[0]);
  buffer.writeBigUInt64LE(piece.length, range + structs.HTTP_BYTE_RANGE.fields.Length[0]);
  buffer.writeBigUInt64LE(piece.fileHandle, at + chunk.fields["FromFileHandle.FileHandle"][0]);
}

/** An array of HTTP_UNKNOWN_HEADER, and the texts behind it. */
function writeTrailers({ buffer, address }: Memory, list: number, lines: readonly string[]): void {
  let text = list + (lines.length / 2) * unknown.size;
  const put = (value: string, lengthAt: number, pointerAt: number): void => {
    buffer.write(value, text, "latin1");
    buffer.writeUInt16LE(value.length, lengthAt);
    buffer.writeBigUInt64LE(address + BigInt(text), pointerAt);
    text += value.length;
  };
  for (let i = 0; i < lines.length; i += 2) {
    const at = list + (i / 2) * unknown.size;
    put(lines[i] as string, at + unknown.fields.NameLength[0], at + unknown.fields.pName[0]);
    put(lines[i + 1] as string, at + unknown.fields.RawValueLength[0], at + unknown.fields.pRawValue[0]);
  }
}
