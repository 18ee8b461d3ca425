import { BadRequestError, HeaderList, hasListElement, isAuthority, isHeaderName, isHeaderValue, isMethod, parseRequestTarget, type RequestHead, type ServerLimits } from "@proxy/http";
import type { DecodedRequest } from "../decode-request.ts";

type HeadLimits = Pick<ServerLimits, "maxRequestLineSize" | "maxRequestHeadersTotalSize" | "maxRequestHeaderCount">;

/**
 * The head of an exchange out of what HTTP.sys gave. HTTP.sys refuses malformed requests itself; what it lets through and other
 * servers of this project refuse is refused here too. Routing goes by the raw URL, never by the cooked one.
 *
 * @throws {BadRequestError}
 */
export function requestHead(from: DecodedRequest, limits: HeadLimits): RequestHead {
  const { method, rawUrl: target, version } = from;
  if (!isMethod(method)) throw new BadRequestError(400, "INVALID_METHOD", "invalid method");
  if (method.length + target.length + 12 > limits.maxRequestLineSize) throw new BadRequestError(414, "REQUEST_LINE_TOO_LONG", "request line too long");
  const headers = readHeaders(from.headers, limits);
  const scheme = from.tls === undefined ? "http" : "https";

  const host = headers.get("host");
  if (host === undefined && version !== "1.0") throw new BadRequestError(400, "MISSING_HOST", "request without Host");
  if (host !== undefined && !isAuthority(host) && !(host === "" && version === "1.0")) throw new BadRequestError(400, "INVALID_HOST", "invalid Host");

  const expect = headers.get("expect");
  if (expect !== undefined && expect.trim().toLowerCase() !== "100-continue") throw new BadRequestError(417, "UNKNOWN_EXPECTATION", "unknown expectation");

  const parsed = parseRequestTarget(method, target);
  if (parsed.form === "invalid") throw new BadRequestError(parsed.status, parsed.code, "invalid request target");
  if (parsed.form === "authority") throw new BadRequestError(501, "CONNECT_NOT_SUPPORTED", "CONNECT is not supported");
  if (parsed.scheme === "https" && scheme === "http") throw new BadRequestError(421, "MISDIRECTED_SCHEME", "https target on a cleartext connection");
  let authority = host ?? "";
  if (parsed.form === "absolute" && parsed.authority !== authority) {
    authority = parsed.authority;
    headers.set("Host", authority);
  }
  return { method, target, path: parsed.path, query: parsed.query, scheme, authority, httpVersion: version, headers };
}

function readHeaders(raw: readonly string[], limits: HeadLimits): HeaderList {
  if (raw.length / 2 > limits.maxRequestHeaderCount) throw new BadRequestError(431, "TOO_MANY_HEADERS", `more than ${limits.maxRequestHeaderCount} header lines`);
  const headers = new HeaderList();
  let size = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    size += name.length + value.length + ": \r\n".length;
    if (!isHeaderName(name)) throw new BadRequestError(400, "INVALID_HEADER_NAME", "invalid header name");
    if (!isHeaderValue(value)) throw new BadRequestError(400, "INVALID_HEADER_VALUE", `invalid value of header ${name}`);
    headers.append(name, value);
  }
  if (size > limits.maxRequestHeadersTotalSize) throw new BadRequestError(431, "HEADERS_TOO_LARGE", "header lines too large");
  return headers;
}

/** The protocol that the client asks to change to, in a way that an exchange offers (RFC 9110, 7.8). */
export function askedUpgrade({ headers, httpVersion }: RequestHead): string | undefined {
  const upgrade = headers.get("upgrade");
  if (httpVersion !== "1.1" || upgrade === undefined || !hasListElement(headers.get("connection") ?? "", "upgrade")) return undefined;
  if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") return undefined;
  return /^(?:h2c|tls\/|http\/)/i.test(upgrade.trim()) ? undefined : upgrade;
}
