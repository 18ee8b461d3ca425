import type { DestinationRequest } from "../../destination-client.ts";
import { isHeaderValue, isToken } from "../../field-grammar.ts";
import type { HeaderLine, HeaderList } from "../../header-list.ts";

/**
 * Writes request heads (RFC 9112, 3 and 5), and is the last place where text can be stopped that would be read
 * as another line, another field or another request (CWE-113).
 */

const usualMethods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]);
// A character above 0xFF would be cut to its low byte on the wire, and U+010A becomes a line feed.
const unsafeInTarget = /[\u0000-\u0020\u007f-\uffff]/;

/** What a request has more of when a web proxy gets it. */
export interface ProxiedHead {
  /** Scheme and authority of the destination: its target becomes the whole URL (RFC 9112, 3.2.2). */
  readonly prefix: string;
  /** Lines for the proxy, each with CRLF. */
  readonly fields: string;
}

/**
 * The head of `request` as latin1 text with its empty line, or what is wrong with it as an `UnsafeHead`.
 * Framing and connection fields are written here; those among the headers are left out. `host` is the Host
 * field for a request that has none.
 */
export function requestHead(request: DestinationRequest, host: string, proxied?: ProxiedHead): string | UnsafeHead {
  const { method, target, body, upgrade } = request;
  if (!usualMethods.has(method) && !isToken(method)) return new UnsafeHead("the method is no token");
  if (!isSafeTarget(target)) return new UnsafeHead("the target holds an illegal character");

  let headers = request.headers;
  let hosts = 0;
  let te = false;
  for (let i = 0; i < headers.size; i++) {
    const line = headers.lineAt(i);
    const { key } = line;
    if (key === "host") hosts++;
    else if (key === "te") te = true;
    else if (isFramingKey(key)) {
      headers = withoutFraming(headers);
      hosts = 0;
      i = -1;
      continue;
    }
    if (!isSafeLine(line)) return unsafeField;
  }
  if (hosts > 1) return new UnsafeHead("there are two Host fields");

  let text = `${method} ${proxied === undefined ? target : absolute(target, proxied)} HTTP/1.1\r\n`;
  if (hosts === 0) text += `Host: ${host}\r\n`;
  if (proxied !== undefined) text += proxied.fields;
  text += headers.toWire();
  if (body !== undefined) {
    text += body.length === undefined ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${body.length}\r\n`;
  }
  if (upgrade !== undefined) {
    if (!isHeaderValue(upgrade)) return unsafeField;
    text += `Connection: Upgrade${te ? ", TE" : ""}\r\nUpgrade: ${upgrade}\r\n`;
  } else if (request.singleUse === true) {
    text += te ? "Connection: close, TE\r\n" : "Connection: close\r\n";
  } else if (te) {
    // RFC 9110, 10.1.4: what TE says is for this hop.
    text += "Connection: TE\r\n";
  }
  if (request.expectContinue === true && body !== undefined) text += "Expect: 100-continue\r\n";
  return `${text}\r\n`;
}

/** `*` is the URL without a path (RFC 9112, 3.2.4). */
function absolute(target: string, { prefix }: ProxiedHead): string {
  return target === "*" ? prefix : prefix + target;
}

/** The last chunk with the trailer section (RFC 9112, 7.1.2), or undefined when a trailer cannot be written. */
export function lastChunk(trailers: HeaderList | undefined): string | undefined {
  if (trailers === undefined) return "0\r\n\r\n";
  for (let i = 0; i < trailers.size; i++) if (!isSafeLine(trailers.lineAt(i))) return undefined;
  return `0\r\n${trailers.toWire()}\r\n`;
}

/** A request that cannot be written. `fault` holds no text of the request. */
export class UnsafeHead {
  readonly fault: string;

  constructor(fault: string) {
    this.fault = fault;
  }
}

const unsafeField = new UnsafeHead("a field holds an illegal character");

/** Whether `target` can stand in a request: not empty, no blank, no control, nothing above ASCII. */
export function isSafeTarget(target: string): boolean {
  return target !== "" && !unsafeInTarget.test(target);
}

/** Lines that came from a message of a peer were checked when it was parsed. */
export function isSafeLine(line: HeaderLine): boolean {
  return line.source !== "" || line.checked !== "";
}

function isFramingKey(key: string): boolean {
  return key === "connection" || key === "content-length" || key === "transfer-encoding" || key === "keep-alive"
    || key === "upgrade" || key === "expect" || key === "proxy-connection";
}

function withoutFraming(headers: HeaderList): HeaderList {
  const kept = headers.copy();
  kept.filter((key) => !isFramingKey(key));
  return kept;
}
