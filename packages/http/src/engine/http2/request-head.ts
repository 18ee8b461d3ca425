import { isAuthority } from "../../authority.ts";
import { BadRequestError } from "../../errors.ts";
import type { RequestHead } from "../../exchange.ts";
import { isMethod } from "../../field-grammar.ts";
import { HeaderLine, HeaderList } from "../../header-list.ts";
import { parseRequestTarget } from "../../request-target.ts";
import type { ServerLimits } from "../../server-limits.ts";
import { contentLength } from "../body-framing.ts";
import type { FieldCollector } from "./field-collector.ts";

const slash = 0x2f;

/** A request that is no HTTP/2: its stream is reset with PROTOCOL_ERROR (RFC 9113, 8.1.1). */
export class MalformedRequestError extends BadRequestError {
  constructor(code: string, message: string) {
    super(400, code, message);
  }
}

/** What the head of a request says. */
export interface Http2RequestHead {
  readonly request: RequestHead;
  /** Content-Length, or undefined when only the end of the stream tells. */
  readonly length: number | undefined;
  /** The `:protocol` of an extended CONNECT (RFC 8441). */
  readonly protocol: string | undefined;
  readonly expectContinue: boolean;
}

/** Makes requests of header blocks (RFC 9113, 8.3). Target and authority have the grammar that they have in HTTP/1.1. */
export class RequestHeadReader {
  readonly #limits: ServerLimits;
  readonly #scheme: "http" | "https";
  /** Most requests of a connection are for one authority. */
  #authority: string | undefined = undefined;
  #hostLine: HeaderLine | undefined = undefined;

  constructor(limits: ServerLimits, scheme: "http" | "https") {
    this.#limits = limits;
    this.#scheme = scheme;
  }

  /**
   * @param within the field list was as large as announced at the most.
   * @throws {BadRequestError} with the status of the answer.
   */
  read(fields: FieldCollector, within: boolean): Http2RequestHead {
    const limits = this.#limits;
    if (fields.fault !== "") throw new MalformedRequestError(fields.faultCode, fields.fault);
    if (!within) throw new BadRequestError(431, "HEADERS_TOO_LARGE", "the field list is larger than announced");
    if (fields.count > limits.maxRequestHeaderCount) throw new BadRequestError(431, "TOO_MANY_HEADERS", "the request has too many fields");
    if (fields.size > limits.maxRequestHeadersTotalSize) throw new BadRequestError(431, "HEADERS_TOO_LARGE", "the fields are too large");
    const { method, path, protocol, scheme } = fields;
    if (method === undefined || !isUsual(method) && !isMethod(method)) throw new MalformedRequestError("INVALID_METHOD", "the method is no token");
    if (method === "CONNECT" && protocol === undefined) throw new BadRequestError(501, "CONNECT_UNSUPPORTED", "CONNECT is not supported");
    if (protocol !== undefined && method !== "CONNECT") throw new MalformedRequestError("INVALID_PSEUDO_HEADER", ":protocol without CONNECT");
    // The connection decides; what the client says may differ behind a TLS terminator (RFC 9113, 8.3.1).
    if (scheme !== "http" && scheme !== "https") throw new MalformedRequestError("INVALID_TARGET_SCHEME", "the scheme is neither http nor https");
    if (path === undefined || (path.charCodeAt(0) !== slash && path !== "*" && !path.includes("://"))) throw new MalformedRequestError("INVALID_TARGET_PATH", "the request has no path");
    if (method.length + path.length + 2 > limits.maxRequestLineSize) throw new BadRequestError(414, "REQUEST_LINE_TOO_LONG", "the path is too long");
    // An extended CONNECT has the target of any other request (RFC 8441, 4).
    const parsed = parseRequestTarget(protocol === undefined ? method : "GET", path);
    if (parsed.form === "invalid") throw new BadRequestError(parsed.status, parsed.code, "the request target is invalid");
    if (parsed.form === "absolute") throw new BadRequestError(400, "INVALID_TARGET_FORM", "the path is a URL");

    const { lines } = fields;
    const authority = this.#readAuthority(fields);
    lines[0] = this.#hostLine as HeaderLine;
    return {
      request: {
        method, target: path, path: parsed.path, query: parsed.query, scheme: this.#scheme, authority, httpVersion: "2",
        headers: HeaderList.fromLines(lines),
      },
      length: fields.contentLength === undefined ? undefined : readLength(fields.contentLength),
      protocol,
      expectContinue: fields.expect !== undefined && readExpectation(fields.expect),
    };
  }

  /** RFC 9113, 8.3.1: `:authority`, or Host where it is missing; both say the same. */
  #readAuthority({ authority: pseudo, host }: FieldCollector): string {
    const authority = pseudo ?? host;
    if (authority === undefined) throw new BadRequestError(400, "MISSING_HOST", "the request has no authority");
    if (authority !== this.#authority) {
      if (!isAuthority(authority)) throw new BadRequestError(400, "INVALID_HOST", "the authority is invalid");
      this.#authority = authority;
      this.#hostLine = new HeaderLine("Host", "host", authority, "", 0, 0);
    }
    if (host !== undefined && host !== authority && host.toLowerCase() !== authority.toLowerCase()) {
      throw new BadRequestError(400, "INVALID_HOST", "Host is not the authority");
    }
    return authority;
  }
}

/** The rule of trailers: no pseudo-fields. */
export function readTrailers(fields: FieldCollector, within: boolean): HeaderList | undefined {
  const { method, path, scheme, authority, protocol, host, lines } = fields;
  if (fields.fault !== "") throw new MalformedRequestError("INVALID_TRAILER", fields.fault);
  if (!within) throw new MalformedRequestError("TRAILERS_TOO_LARGE", "the trailers are larger than announced");
  if ((method ?? path ?? scheme ?? authority ?? protocol) !== undefined) throw new MalformedRequestError("INVALID_TRAILER", "a pseudo-field among the trailers");
  if (host !== undefined) lines.push(new HeaderLine("host", "host", host, "", 0, 0));
  lines.shift();
  return lines.length === 0 ? undefined : HeaderList.fromLines(lines);
}

function isUsual(method: string): boolean {
  return method === "GET" || method === "POST";
}

function readLength(value: string): number {
  const length = contentLength(value);
  if (length < 0) throw new MalformedRequestError("INVALID_CONTENT_LENGTH", "the Content-Length field is invalid");
  return length;
}

function readExpectation(value: string): true {
  if (value.toLowerCase() !== "100-continue") throw new BadRequestError(417, "UNKNOWN_EXPECTATION", "the expectation is not supported");
  return true;
}
