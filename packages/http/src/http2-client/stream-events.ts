import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { Readable } from "node:stream";
import type { Http2Call } from "./http2-call.ts";

/** Where a stream keeps its call. */
const callOf: unique symbol = Symbol("call");

const basePush = Readable.prototype.push;

type CallStream = ClientHttp2Stream & { [callOf]: Http2Call | undefined };

/** Makes `call` the listener of `stream`: one set of functions for all streams, none made per request. */
export function listenToStream(stream: ClientHttp2Stream, call: Http2Call): void {
  const own = stream as CallStream;
  own[callOf] = call;
  own.push = push;
  // Nothing flows before the head has been told.
  own.pause();
  own.on("headers", onHeaders);
  own.on("response", onResponse);
  own.on("trailers", onTrailers);
  own.on("data", onData);
  own.on("end", onEnd);
  own.on("error", onError);
  own.on("close", onClose);
  if (call.upload === undefined) return;
  own.on("drain", onDrain);
  own.on("wantTrailers", onWantTrailers);
}

/** Nobody is told any more what happens to `stream`. */
export function ignoreStream(stream: ClientHttp2Stream): void {
  (stream as CallStream)[callOf] = undefined;
}

/**
 * Node ends the readable side at END_STREAM, and also when the stream was reset with NO_ERROR, but then it has marked it as
 * closed before: the only thing by which a response that was cut off can be told from a whole one.
 */
function push(this: CallStream, chunk: unknown, encoding?: BufferEncoding): boolean {
  const more = basePush.call(this, chunk, encoding);
  const call = this[callOf];
  if (chunk === null && call !== undefined) {
    if (!this.closed) call.ended = true;
    else call.brokenOff();
  }
  return more;
}

function onHeaders(this: CallStream, fields: IncomingHttpHeaders, _flags: number, raw: string[]): void {
  this[callOf]?.interim(fields, raw);
}

function onResponse(this: CallStream, fields: IncomingHttpHeaders, flags: number, raw: string[]): void {
  this[callOf]?.response(fields, flags, raw);
}

function onTrailers(this: CallStream, _fields: IncomingHttpHeaders, _flags: number, raw: string[]): void {
  this[callOf]?.trailers(raw);
}

function onData(this: CallStream, chunk: Buffer): void {
  this[callOf]?.data(chunk);
}

function onEnd(this: CallStream): void {
  this[callOf]?.delivered();
}

function onDrain(this: CallStream): void {
  this[callOf]?.drained();
}

function onWantTrailers(this: CallStream): void {
  this[callOf]?.upload?.sendTrailers(this);
}

function onError(this: CallStream, error: Error): void {
  this[callOf]?.failed(error);
}

function onClose(this: CallStream): void {
  this[callOf]?.closed();
}
