import { isAuthority } from "../../authority.ts";
import { BadRequestError } from "../../errors.ts";
import type { RequestHead } from "../../exchange.ts";
import { hasListElement } from "../../field-grammar.ts";
import type { HeaderList } from "../../header-list.ts";
import { fieldMark } from "../../header-name.ts";
import { parseRequestTarget } from "../../request-target.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { contentLength } from "../body-framing.ts";
import { FieldScanner, headIncomplete, headTooManyFields, tokenBytes } from "../head-parser.ts";

/** `RequestParser.parse`: the bytes end before the head does. */
export const requestIncomplete = -1;
/** `RequestParser.parse`: the request is refused; `refusal` says why. */
export const requestRefused = -2;

/** `RequestParser.bodyLength`: no body on the wire. */
export const bodyAbsent = -1;
/** `RequestParser.bodyLength`: a body in the chunked coding. */
export const bodyChunked = -2;

const cr = 13;
const lf = 10;
const space = 32;

/** A request target is visible ASCII; what else it may hold is for the target's own grammar. */
const targetBytes = new Uint8Array(256).fill(1, 0x21, 0x7f);

const hopProtocols = /^(h2c|tls\/|http\/)/i;

const versionText = Uint8Array.from("HTTP/", (character) => character.charCodeAt(0));

/**
 * Reads request heads (RFC 9112, 2 to 6): the request line, the fields, and what they say together about the
 * target, the body's framing and the connection. Everything unclear is refused with the status that belongs to
 * it. The results of `parse` stand in the parser until the next call: one parser serves all connections.
 */
export class RequestParser {
  request!: RequestHead;
  /** Bytes of the body, or `bodyAbsent`, or `bodyChunked`. */
  bodyLength = bodyAbsent;
  /** Whether the client wants the connection to stay open. */
  keepAlive = false;
  /** The client waits for 100 before it sends the body. */
  expectContinue = false;
  /** The protocols of an upgrade that can be accepted, or undefined. */
  upgrade: string | undefined = undefined;
  /** After `requestRefused`. */
  refusal!: BadRequestError;

  readonly #limits: ServerLimits;
  readonly #scheme: "http" | "https";
  readonly #scanner = new FieldScanner();

  constructor(limits: ServerLimits, scheme: "http" | "https") {
    this.#limits = limits;
    this.#scheme = scheme;
  }

  /**
   * Reads the head that begins at `from`. Returns the place behind its empty line, or one of the negative results
   * above. `bytes` may hold anything behind the head.
   */
  parse(bytes: Buffer, from: number, to: number): number {
    // One empty line before a request is tolerated: old clients send it after a body (RFC 9112, 2.2).
    let start = from;
    if (bytes[start] === cr && (start + 1 === to || bytes[start + 1] === lf)) start += 2;
    if (start >= to) return requestIncomplete;

    const limits = this.#limits;
    const methodEnd = scanWhile(tokenBytes, bytes, start, to);
    if (methodEnd === to) return this.checkSize(bytes, start, to);
    if (methodEnd === start) return this.#refuse(400, "INVALID_METHOD", "the request line has no method");
    if (bytes[methodEnd] !== space) return this.#refuse(400, "INVALID_METHOD", "the method is no token");
    const targetEnd = scanWhile(targetBytes, bytes, methodEnd + 1, to);
    if (targetEnd === to) return this.checkSize(bytes, start, to);
    if (targetEnd - start > limits.maxRequestLineSize) return this.#lineTooLong();
    if (bytes[targetEnd] !== space) return this.#refuse(400, "INVALID_REQUEST_LINE", "the request line is malformed");
    const fieldsStart = targetEnd + 11;
    if (fieldsStart > to) return this.checkSize(bytes, start, to);
    const minor = this.#version(bytes, targetEnd + 1);
    if (minor < 0) return requestRefused;
    if (fieldsStart - 2 - start > limits.maxRequestLineSize) return this.#lineTooLong();

    const scanner = this.#scanner;
    const end = scanner.scan(bytes, fieldsStart, to, limits.maxRequestHeaderCount);
    if (end < 0) {
      if (end === headIncomplete) return this.checkSize(bytes, start, to);
      if (end === headTooManyFields) return this.#refuse(431, "TOO_MANY_HEADERS", "the request has too many header lines");
      return this.#refuse(400, "INVALID_HEADER", scanner.fault);
    }
    if (end - 2 - fieldsStart > limits.maxRequestHeadersTotalSize) return this.#headTooLarge();

    const text = bytes.toString("latin1", start, end);
    const method = methodOf(text, methodEnd - start);
    const target = text.slice(methodEnd + 1 - start, targetEnd - start);
    const headers = scanner.list(text, start);
    return this.#interpret(method, target, minor, headers) ? end : requestRefused;
  }

  /** What the parts mean together. False after a refusal. */
  #interpret(method: string, target: string, minor: number, headers: HeaderList): boolean {
    const { marks, repeated } = this.#scanner;
    if (method === "CONNECT") return this.#not(501, "CONNECT_UNSUPPORTED", "CONNECT is not supported");
    const parsed = parseRequestTarget(method, target);
    if (parsed.form === "invalid") return this.#not(parsed.status, parsed.code, "the request target is invalid");

    let authority = "";
    if ((marks & fieldMark.host) !== 0) {
      if ((repeated & fieldMark.host) !== 0) return this.#not(400, "MULTIPLE_HOSTS", "the request has two Host fields");
      authority = headers.get("host") as string;
      if (!isAuthority(authority) && (authority !== "" || minor === 1)) return this.#not(400, "INVALID_HOST", "the Host field is invalid");
    } else if (minor === 1) {
      return this.#not(400, "MISSING_HOST", "the request has no Host field");
    }
    if (parsed.scheme !== undefined) {
      if (parsed.scheme !== this.#scheme) {
        return this.#not(400, "INVALID_TARGET_SCHEME", "the scheme of the target is not that of the connection");
      }
      // RFC 9112, 3.2.2: what Host said is ignored, and a proxy replaces it.
      if (parsed.authority !== authority) headers.set("Host", parsed.authority);
      authority = parsed.authority;
    }

    this.keepAlive = minor === 1;
    this.expectContinue = false;
    this.upgrade = undefined;
    this.bodyLength = bodyAbsent;
    if ((marks & ~(fieldMark.host | fieldMark.date)) !== 0 && !this.#control(minor, headers, marks, repeated)) return false;

    this.request = {
      method,
      target,
      path: parsed.path,
      query: parsed.query,
      scheme: this.#scheme,
      authority,
      httpVersion: minor === 1 ? "1.1" : "1.0",
      headers,
    };
    return true;
  }

  /** The fields about body and connection. False after a refusal. */
  #control(minor: number, headers: HeaderList, marks: number, repeated: number): boolean {
    const lengths = marks & (fieldMark.contentLength | fieldMark.transferEncoding);
    if (lengths !== 0 && !this.#framing(minor, headers, lengths, repeated)) return false;
    if ((marks & fieldMark.expect) !== 0 && minor === 1) {
      const expectation = headers.get("expect") as string;
      if ((repeated & fieldMark.expect) !== 0 || expectation.toLowerCase() !== "100-continue") {
        return this.#not(417, "UNKNOWN_EXPECTATION", "the expectation is not supported");
      }
      this.expectContinue = this.bodyLength > 0 || this.bodyLength === bodyChunked;
    }
    if ((marks & fieldMark.connection) !== 0) {
      for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
        const value = headers.valueAt(i);
        if (minor === 0 && !this.keepAlive && hasListElement(value, "keep-alive")) this.keepAlive = true;
        if ((marks & fieldMark.upgrade) !== 0 && minor === 1 && hasListElement(value, "upgrade")) this.#offerUpgrade(headers);
      }
      for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
        if (hasListElement(headers.valueAt(i), "close")) this.keepAlive = false;
      }
    }
    return true;
  }

  /** Not with a body, and not to what concerns this hop only: another version of HTTP, or TLS. */
  #offerUpgrade(headers: HeaderList): void {
    if (this.bodyLength !== bodyAbsent && this.bodyLength !== 0) return;
    const protocols = headers.getAll("upgrade").join(", ");
    if (!hopProtocols.test(protocols)) this.upgrade = protocols;
  }

  /** RFC 9112, 6.3, with none of its leniencies. False after a refusal. */
  #framing(minor: number, headers: HeaderList, lengths: number, repeated: number): boolean {
    if (lengths === fieldMark.contentLength) {
      if ((repeated & fieldMark.contentLength) !== 0) {
        return this.#not(400, "MULTIPLE_CONTENT_LENGTHS", "the request has two Content-Length fields");
      }
      const length = contentLength(headers.get("content-length") as string);
      if (length < 0) return this.#not(400, "INVALID_CONTENT_LENGTH", "the Content-Length field is invalid");
      this.bodyLength = length;
      return true;
    }
    if (lengths !== fieldMark.transferEncoding) {
      return this.#not(400, "AMBIGUOUS_LENGTH", "the request has both Content-Length and Transfer-Encoding");
    }
    if (minor === 0) return this.#not(400, "INVALID_TRANSFER_ENCODING", "Transfer-Encoding is not part of HTTP/1.0");
    if ((repeated & fieldMark.transferEncoding) !== 0) {
      return this.#not(400, "INVALID_TRANSFER_ENCODING", "the request has two Transfer-Encoding fields");
    }
    const coding = headers.get("transfer-encoding") as string;
    if (coding !== "chunked" && coding.toLowerCase() !== "chunked") {
      return hasListElement(coding, "chunked") && !hasOtherElement(coding)
        ? this.#not(400, "INVALID_TRANSFER_ENCODING", "the chunked coding is applied twice")
        : this.#not(501, "UNKNOWN_TRANSFER_ENCODING", "the transfer coding is not supported");
    }
    this.bodyLength = bodyChunked;
    return true;
  }

  /** The minor version, or -1 after a refusal. `at` is followed by ten bytes at least. */
  #version(bytes: Uint8Array, at: number): number {
    for (let i = 0; i < versionText.length; i++) {
      if (bytes[at + i] !== versionText[i]) return this.#refuse(400, "INVALID_REQUEST_LINE", "the request line has no version");
    }
    const major = (bytes[at + 5] as number) - 48;
    const minor = (bytes[at + 7] as number) - 48;
    const malformed = major < 0 || major > 9 || minor < 0 || minor > 9 || bytes[at + 6] !== 46 || bytes[at + 8] !== cr
      || bytes[at + 9] !== lf;
    if (malformed) return this.#refuse(400, "INVALID_REQUEST_LINE", "the version of the request is malformed");
    if (major !== 1 || minor > 1) return this.#refuse(505, "UNSUPPORTED_VERSION", "the version of the request is not supported");
    return minor;
  }

  /** Whether an incomplete head may go on: `requestIncomplete`, or `requestRefused` when it is too large already. */
  checkSize(bytes: Uint8Array, start: number, to: number): number {
    const { maxRequestLineSize, maxRequestHeadersTotalSize } = this.#limits;
    const held = to - start;
    // The CR of the line end may be there already.
    if (held > maxRequestLineSize + 1) {
      const lineEnd = bytes.subarray(start, start + maxRequestLineSize + 2).indexOf(cr);
      if (lineEnd < 0) return this.#lineTooLong();
      if (held - lineEnd > maxRequestHeadersTotalSize + 3) return this.#headTooLarge();
    }
    return requestIncomplete;
  }

  #lineTooLong(): number {
    return this.#refuse(414, "REQUEST_LINE_TOO_LONG", "the request line is too long");
  }

  #headTooLarge(): number {
    return this.#refuse(431, "HEADERS_TOO_LARGE", "the header lines are too large");
  }

  #refuse(status: number, code: string, message: string): number {
    this.refusal = new BadRequestError(status, code, message);
    return requestRefused;
  }

  #not(status: number, code: string, message: string): boolean {
    this.refusal = new BadRequestError(status, code, message);
    return false;
  }
}

function scanWhile(allowed: Uint8Array, bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i < to && allowed[bytes[i] as number] !== 0) i++;
  return i;
}

/** The usual methods as literals, so that comparing them later is comparing pointers. */
function methodOf(text: string, length: number): string {
  if (length === 3) {
    if (text.startsWith("GET")) return "GET";
    if (text.startsWith("PUT")) return "PUT";
  } else if (length === 4) {
    if (text.startsWith("POST")) return "POST";
    if (text.startsWith("HEAD")) return "HEAD";
  } else if (length === 6 && text.startsWith("DELETE")) {
    return "DELETE";
  }
  return text.slice(0, length);
}

function hasOtherElement(list: string): boolean {
  return list.split(",").some((element) => element.trim().toLowerCase() !== "chunked");
}
