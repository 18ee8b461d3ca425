import { isAuthority } from "../authority.ts";
import { contentLength } from "../engine/body-framing.ts";
import { BadRequestError } from "../errors.ts";
import type { RequestHead } from "../exchange.ts";
import { isHeaderName, isHeaderValue, isMethod } from "../field-grammar.ts";
import { HeaderList } from "../header-list.ts";
import { parseRequestTarget } from "../request-target.ts";
import type { ServerLimits } from "../server-limits.ts";

/** What the head of an HTTP/2 request says. */
export interface Http2RequestHead {
  readonly request: RequestHead;
  /** Content-Length, or undefined when only the end of the stream tells. */
  readonly length: number | undefined;
  /** The `:protocol` of an extended CONNECT (RFC 8441). */
  readonly protocol: string | undefined;
  readonly expectContinue: boolean;
}

/** Connection-specific fields, which make a request malformed (RFC 9113, 8.2.2). */
const forbidden: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/**
 * Reads the head of a request as it stood in the frames: `name, value, name, value, …` (RFC 9113, 8.3). What nghttp2 has
 * checked is checked again where a mistake would reach a destination; target and authority have the grammar that they have
 * in HTTP/1.1.
 *
 * @throws {BadRequestError} with the status of the answer.
 */
export function readHttp2RequestHead(raw: readonly string[], scheme: "http" | "https", limits: ServerLimits): Http2RequestHead {
  const pseudo = new PseudoFields();
  const fields = new HeaderList();
  let size = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === 0x3a) {
      if (fields.size > 0) throw malformed("INVALID_PSEUDO_HEADER", "a pseudo-header after a field");
      pseudo.take(name, value);
      continue;
    }
    size += name.length + value.length + ": \r\n".length;
    if (!isHeaderName(name) || !isHeaderValue(value)) throw malformed("INVALID_HEADER", "a field holds an illegal character");
    fields.append(name, value);
  }
  if (fields.size > limits.maxRequestHeaderCount) throw new BadRequestError(431, "TOO_MANY_HEADERS", "the request has too many fields");
  if (size > limits.maxRequestHeadersTotalSize) throw new BadRequestError(431, "HEADERS_TOO_LARGE", "the fields are too large");

  const { method, path, protocol } = pseudo;
  if (method === undefined || !isMethod(method)) throw malformed("INVALID_METHOD", "the method is no token");
  if (method === "CONNECT" && protocol === undefined) throw new BadRequestError(501, "CONNECT_UNSUPPORTED", "CONNECT is not supported");
  if (protocol !== undefined && method !== "CONNECT") throw malformed("INVALID_PSEUDO_HEADER", ":protocol without CONNECT");
  // The connection decides; what the client says may differ behind a TLS terminator (RFC 9113, 8.3.1).
  if (pseudo.scheme !== "http" && pseudo.scheme !== "https") throw malformed("INVALID_TARGET_SCHEME", "the scheme is neither http nor https");
  if (path === undefined) throw malformed("INVALID_TARGET_PATH", "the request has no path");
  if (method.length + path.length + 2 > limits.maxRequestLineSize) throw new BadRequestError(414, "REQUEST_LINE_TOO_LONG", "the path is too long");
  // An extended CONNECT has the target of any other request (RFC 8441, 4).
  const parsed = parseRequestTarget(protocol === undefined ? method : "GET", path);
  if (parsed.form === "invalid") throw new BadRequestError(parsed.status, parsed.code, "the request target is invalid");
  if (parsed.form === "absolute") throw malformed("INVALID_TARGET_FORM", "the path is a URL");

  const authority = readAuthority(pseudo.authority, fields);
  const headers = withHost(fields, authority);
  return {
    request: { method, target: path, path: parsed.path, query: parsed.query, scheme, authority, httpVersion: "2", headers },
    length: readLength(fields),
    protocol,
    expectContinue: readExpectation(fields),
  };
}

class PseudoFields {
  method: string | undefined;
  scheme: string | undefined;
  path: string | undefined;
  authority: string | undefined;
  protocol: string | undefined;

  take(name: string, value: string): void {
    const known = this.#known(name);
    if (known === undefined) throw malformed("INVALID_PSEUDO_HEADER", "an unknown pseudo-header");
    if (this[known] !== undefined) throw malformed("INVALID_PSEUDO_HEADER", `two ${name}`);
    this[known] = value;
  }

  #known(name: string): "method" | "scheme" | "path" | "authority" | "protocol" | undefined {
    switch (name) {
      case ":method": return "method";
      case ":scheme": return "scheme";
      case ":path": return "path";
      case ":authority": return "authority";
      case ":protocol": return "protocol";
      default: return undefined;
    }
  }
}

/** RFC 9113, 8.3.1: `:authority`, or Host where it is missing; both say the same. */
function readAuthority(pseudo: string | undefined, fields: HeaderList): string {
  const first = fields.indexOf("host");
  if (first >= 0 && fields.indexOf("host", first + 1) >= 0) throw malformed("MULTIPLE_HOSTS", "the request has two Host fields");
  const host = first < 0 ? undefined : fields.valueAt(first);
  const authority = pseudo ?? host;
  if (authority === undefined) throw malformed("MISSING_HOST", "the request has no authority");
  if (!isAuthority(authority)) throw malformed("INVALID_HOST", "the authority is invalid");
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) throw malformed("INVALID_HOST", "Host is not the authority");
  return authority;
}

/** The fields as the steps of a proxy expect them, with Host in the first place. */
function withHost(fields: HeaderList, authority: string): HeaderList {
  const headers = new HeaderList();
  headers.append("Host", authority);
  for (let i = 0; i < fields.size; i++) {
    const key = fields.keyAt(i);
    if (forbidden.has(key)) throw malformed("INVALID_HEADER", "a field that belongs to HTTP/1.1 connections");
    if (key !== "host") headers.appendFrom(fields, i);
  }
  return headers;
}

function readLength(fields: HeaderList): number | undefined {
  const index = fields.indexOf("content-length");
  if (index < 0) return undefined;
  if (fields.indexOf("content-length", index + 1) >= 0) throw malformed("MULTIPLE_CONTENT_LENGTHS", "the request has two Content-Length fields");
  const length = contentLength(fields.valueAt(index));
  if (length < 0) throw malformed("INVALID_CONTENT_LENGTH", "the Content-Length field is invalid");
  return length;
}

function readExpectation(fields: HeaderList): boolean {
  const index = fields.indexOf("expect");
  if (index < 0) return false;
  if (fields.indexOf("expect", index + 1) >= 0 || fields.valueAt(index).toLowerCase() !== "100-continue") {
    throw new BadRequestError(417, "UNKNOWN_EXPECTATION", "the expectation is not supported");
  }
  return true;
}

function malformed(code: string, message: string): BadRequestError {
  return new BadRequestError(400, code, message);
}
