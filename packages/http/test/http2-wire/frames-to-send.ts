/** Frames as a client writes them, right or wrong. */
import { frameFlag, frameHeaderSize, frameType, writeFrameHeader, writeUint32 } from "../../src/engine/http2/frames.ts";
import { HpackEncoder } from "../../src/engine/http2/hpack/hpack-encoder.ts";

export type Fields = readonly (readonly [name: string, value: string])[];

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(frameHeaderSize + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, flags, stream);
  bytes.set(payload, frameHeaderSize);
  return bytes;
}

/** A block of literals that needs and changes no table. */
export function block(fields: Fields): Buffer {
  const encoder = new HpackEncoder();
  const target = Buffer.alloc(fields.reduce((size, [name, value]) => size + name.length + value.length + 12, 0));
  let at = 0;
  for (const [name, value] of fields) at = encoder.writeField(name, value, target, at, true);
  return target.subarray(0, at);
}

/** The fields of a request for `path`, and others behind them. */
export function request(path: string, fields: Fields = [], method = "GET"): Fields {
  return [[":method", method], [":scheme", "http"], [":path", path], [":authority", "a.test"], ...fields];
}

const { endStream, endHeaders } = frameFlag;

/** A head with END_HEADERS and END_STREAM. */
export function whole(stream: number, fields: Fields): Buffer {
  return frame(frameType.headers, endHeaders | endStream, stream, block(fields));
}

/** A head with END_HEADERS: a body follows. */
export function open(stream: number, fields: Fields): Buffer {
  return frame(frameType.headers, endHeaders, stream, block(fields));
}

export function data(stream: number, bytes: Uint8Array | string, end = false): Buffer {
  return frame(frameType.data, end ? endStream : 0, stream, typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
}

export function continuation(stream: number, bytes: Uint8Array, end = true): Buffer {
  return frame(frameType.continuation, end ? endHeaders : 0, stream, bytes);
}

export function settings(values: readonly (readonly [id: number, value: number])[], stream = 0): Buffer {
  const payload = Buffer.alloc(values.length * 6);
  for (const [i, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(frameType.settings, 0, stream, payload);
}

export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) writeUint32(bytes, i * 4, value);
  return bytes;
}

export function reset(stream: number, code = 8): Buffer {
  return frame(frameType.rstStream, 0, stream, numbers(code));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(frameType.windowUpdate, 0, stream, numbers(increment));
}

export function ping(text = "12345678", flags = 0): Buffer {
  return frame(frameType.ping, flags, 0, Buffer.from(text, "latin1"));
}

export function goaway(last: number, code = 0): Buffer {
  return frame(frameType.goaway, 0, 0, numbers(last, code));
}

export function priority(stream: number, dependency: number, weight = 15): Buffer {
  return frame(frameType.priority, 0, stream, Buffer.concat([numbers(dependency), Buffer.from([weight])]));
}
