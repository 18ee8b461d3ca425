import type { IncomingMessage } from "node:http";
import { isAuthority } from "../authority.ts";
import { BadRequestError } from "../errors.ts";
import type { HttpVersion, RequestHead } from "../exchange.ts";
import { isHeaderValue } from "../field-grammar.ts";
import { HeaderList } from "../header-list.ts";
import { parseRequestTarget } from "../request-target.ts";
import type { ServerLimits } from "../server-limits.ts";

export type HeadLimits = Pick<ServerLimits, "maxRequestLineSize" | "maxRequestHeadersTotalSize" | "maxRequestHeaderCount">;

/**
 * Reads the head of a request as Node parsed it, from the raw lines, and refuses what Node's parser lets through: a
 * second Host or a bad one, codings other than chunked, versions other than 1.0 and 1.1, targets that are no URI.
 *
 * @throws {BadRequestError} with the status of the answer.
 */
export function readRequestHead(req: IncomingMessage, scheme: "http" | "https", target: string, limits: HeadLimits): RequestHead {
  const httpVersion = req.httpVersion as HttpVersion;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new BadRequestError(505, "UNSUPPORTED_HTTP_VERSION", `unsupported HTTP version ${JSON.stringify(req.httpVersion)}`);
  }
  const method = req.method as string;
  const lineSize = method.length + target.length + " ".length + " HTTP/1.1\r\n".length;
  if (lineSize > limits.maxRequestLineSize) throw new BadRequestError(414, "REQUEST_LINE_TOO_LONG", "request line too long");

  const headers = readHeaders(req.rawHeaders, limits);
  const host = readHost(headers, httpVersion);
  checkFraming(headers, httpVersion);

  const parsed = parseRequestTarget(method, target);
  if (parsed.form === "invalid") throw new BadRequestError(parsed.status, parsed.code, "invalid request target");
  if (parsed.form === "authority") throw new BadRequestError(501, "CONNECT_NOT_SUPPORTED", "CONNECT is not supported");
  if (parsed.scheme === "https" && scheme === "http") {
    throw new BadRequestError(421, "MISDIRECTED_SCHEME", "https target on a cleartext connection");
  }
  let authority = host;
  if (parsed.form === "absolute") {
    authority = parsed.authority;
    // RFC 9112, 3.2.2: the target's authority replaces what Host said.
    if (authority !== host) headers.set("Host", authority);
  }
  return { method, target, path: parsed.path, query: parsed.query, scheme, authority, httpVersion, headers };
}

function readHeaders(raw: readonly string[], limits: HeadLimits): HeaderList {
  if (raw.length / 2 > limits.maxRequestHeaderCount) {
    throw new BadRequestError(431, "TOO_MANY_HEADERS", `more than ${limits.maxRequestHeaderCount} header lines`);
  }
  let size = 0;
  const headers = new HeaderList();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    size += name.length + value.length + ": \r\n".length;
    if (!isHeaderValue(value)) throw new BadRequestError(400, "INVALID_HEADER_VALUE", `invalid value of header ${name}`);
    headers.append(name, value);
  }
  if (size > limits.maxRequestHeadersTotalSize) throw new BadRequestError(431, "HEADERS_TOO_LARGE", "header lines too large");
  return headers;
}

/** RFC 9112, 3.2: exactly one Host in HTTP/1.1, none or one in HTTP/1.0. */
function readHost(headers: HeaderList, version: HttpVersion): string {
  const first = headers.indexOf("host");
  if (first < 0) {
    if (version === "1.0") return "";
    throw new BadRequestError(400, "MISSING_HOST", "request without Host");
  }
  if (headers.indexOf("host", first + 1) >= 0) throw new BadRequestError(400, "MULTIPLE_HOSTS", "more than one Host");
  const host = headers.valueAt(first);
  if (host === "" && version === "1.0") return "";
  if (!isAuthority(host)) throw new BadRequestError(400, "INVALID_HOST", "invalid Host");
  return host;
}

/** RFC 9112, 6.1 to 6.3, beyond what Node's parser refuses. */
function checkFraming(headers: HeaderList, version: HttpVersion): void {
  const coding = headers.indexOf("transfer-encoding");
  if (coding >= 0) {
    if (version === "1.0") throw new BadRequestError(400, "TRANSFER_ENCODING_IN_HTTP_1_0", "Transfer-Encoding in HTTP/1.0");
    if (headers.has("content-length")) {
      throw new BadRequestError(400, "AMBIGUOUS_LENGTH", "both Content-Length and Transfer-Encoding");
    }
    if (headers.indexOf("transfer-encoding", coding + 1) >= 0 || headers.valueAt(coding).toLowerCase() !== "chunked") {
      throw new BadRequestError(501, "UNSUPPORTED_TRANSFER_CODING", "transfer coding other than chunked");
    }
    return;
  }
  const length = headers.indexOf("content-length");
  if (length < 0) return;
  if (headers.indexOf("content-length", length + 1) >= 0 || !/^\d{1,15}$/.test(headers.valueAt(length))) {
    throw new BadRequestError(400, "INVALID_CONTENT_LENGTH", "invalid Content-Length");
  }
}
