/**
 * The WebSocket handshake where the two sides speak different versions. HTTP/1.1 proves with a key that the server
 * understood (RFC 6455, 1.3); HTTP/2 has no need of it (RFC 8441, 5). So the gateway plays the missing part.
 */
import { createHash, randomFillSync } from "node:crypto";
import type { HeaderList, ResponseHead } from "@proxy/http";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyField = "sec-websocket-key";
const acceptField = "sec-websocket-accept";

/** Whether `value` is as long as 16 bytes in Base64: what a key has to be. */
export function isWebSocketKey(value: string): boolean {
  return value.length === 24;
}

/** What proves that `key` was understood (RFC 6455, 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash("sha1").update(key + guid, "latin1").digest("base64");
}

function newKey(): string {
  return randomFillSync(Buffer.allocUnsafe(16)).toString("base64");
}

/** Takes the key of an HTTP/1.1 client out of what goes to HTTP/2. Undefined: missing or malformed, which no destination would notice. */
export function takeKey(headers: HeaderList): string | undefined {
  const key = headers.get(keyField);
  if (key === undefined || !isOnlyKey(headers, key)) return undefined;
  headers.remove(keyField);
  return key;
}

/** Gives a request from HTTP/2 the key that HTTP/1.1 needs; one that the client sent nevertheless is used. Undefined: that one is malformed. */
export function provideKey(headers: HeaderList): string | undefined {
  const given = headers.get(keyField);
  if (given !== undefined) return isOnlyKey(headers, given) ? given : undefined;
  const key = newKey();
  headers.append("Sec-WebSocket-Key", key);
  return key;
}

function isOnlyKey(headers: HeaderList, key: string): boolean {
  return isWebSocketKey(key) && headers.getAll(keyField).length === 1;
}

/** The answer of an HTTP/2 destination as one of HTTP/1.1: 101 with the Accept that belongs to the client's `key`. */
export function switchingHead(head: ResponseHead, key: string): ResponseHead {
  const headers = withoutAccept(head.headers);
  headers.append("Connection", "Upgrade");
  headers.append("Upgrade", "websocket");
  headers.append("Sec-WebSocket-Accept", webSocketAccept(key));
  return { status: 101, headers };
}

/**
 * The answer of an HTTP/1.1 destination as one of HTTP/2: 200 without Accept.
 *
 * @throws {TypeError} when the Accept does not belong to `key`: the destination did not understand.
 */
export function connectedHead(head: ResponseHead, key: string): ResponseHead {
  if (head.headers.get(acceptField) !== webSocketAccept(key)) {
    throw new TypeError("the destination answered the WebSocket handshake with a wrong Sec-WebSocket-Accept");
  }
  return { status: 200, headers: withoutAccept(head.headers) };
}

function withoutAccept(headers: HeaderList): HeaderList {
  const kept = headers.copy();
  kept.filter((key) => key !== acceptField && key !== "content-length");
  return kept;
}
