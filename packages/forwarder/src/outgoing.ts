import {
  type BodySource,
  type DestinationRequest,
  type HeaderList,
  type HttpVersion,
  isHeaderName,
  isHeaderValue,
  isQuery,
  isReasonPhrase,
  type ResponseHead,
  type VersionPolicy,
} from "@proxy/http";
import type { BodyChange } from "./body/body-transform.ts";
import { type Destination, destinationOf } from "./destination.ts";
import type { ClientResponse, ForwardOptions, OutgoingRequest } from "./forward-options.ts";
import { requestFieldsDropped } from "./hop-by-hop.ts";

/** The request on its way: what transforms change, and then what the destination's client sends. */
export class Outgoing implements OutgoingRequest, DestinationRequest {
  method: string;
  destinationPrefix: string;
  path: string;
  query: string;
  url: string | undefined = undefined;
  readonly headers: HeaderList;
  body: BodySource | undefined;
  bodyChange: BodyChange | undefined = undefined;
  readonly attempt: number;
  target = "";
  upgrade: string | undefined;
  expectContinue = false;
  singleUse = false;
  httpVersion: HttpVersion;
  versionPolicy: VersionPolicy;

  constructor(
    request: { readonly method: string; readonly path: string; readonly query: string },
    prefix: string,
    headers: HeaderList,
    body: BodySource | undefined,
    { version, versionPolicy }: Pick<ForwardOptions, "version" | "versionPolicy">,
    attempt: number,
  ) {
    this.method = request.method;
    this.destinationPrefix = prefix;
    this.path = request.path;
    this.query = request.query;
    this.headers = headers;
    this.body = body;
    this.attempt = attempt;
    this.httpVersion = version ?? "2";
    this.versionPolicy = versionPolicy ?? "RequestVersionOrLower";
  }
}

/**
 * Settles where `outgoing` goes: sets its target, adds the Host that is missing, and returns the destination.
 * Throws when a transform named an address that is none.
 */
export function address(outgoing: Outgoing, destination: Destination): Destination {
  let to = destination;
  if (outgoing.url !== undefined) {
    to = addressByUrl(outgoing, outgoing.url);
  } else {
    if (outgoing.destinationPrefix !== destination.prefix) to = destinationOf(outgoing.destinationPrefix);
    const { path } = outgoing;
    if (path === "*") outgoing.target = to.basePath === "" ? path : to.basePath;
    else if (path === "" && to.basePath === "") outgoing.target = `/${outgoing.query}`;
    else outgoing.target = to.basePath + path + outgoing.query;
  }
  if (outgoing.target === "") outgoing.target = "/";
  if (!outgoing.headers.has("host")) outgoing.headers.appendFrom(to.hostLine, 0);
  return to;
}

function addressByUrl(outgoing: Outgoing, url: string): Destination {
  const start = url.indexOf("://") + 3;
  let end = start < 3 ? url.length : start;
  while (end < url.length && url[end] !== "/" && url[end] !== "?") end++;
  const destination = destinationOf(url.slice(0, end));
  const target = url.slice(end);
  outgoing.target = target.startsWith("?") ? `/${target}` : target;
  return destination;
}

/**
 * Checks what transforms that are not trusted made of the request: removes connection and framing fields, and
 * throws on what cannot stand on the wire. `TE: trailers` may stay: it was copied, or a transform means it.
 */
export function checkOutgoing(outgoing: Outgoing): void {
  const { headers } = outgoing;
  checkFields(headers);
  let dropped = false;
  for (let i = 0; i < headers.size; i++) dropped ||= isDropped(headers, i);
  if (dropped) headers.filter((_, index) => !isDropped(headers, index));
}

function isDropped(headers: HeaderList, index: number): boolean {
  const key = headers.keyAt(index);
  return requestFieldsDropped.has(key) && !(key === "te" && headers.valueAt(index).toLowerCase() === "trailers");
}

/** Checks the target that was put together from prefix, path and query, or from a URL: printable, no fragment. */
export function checkTarget(target: string): void {
  if ((target !== "*" && !target.startsWith("/")) || !isQuery(`?${target}`)) {
    throw new TypeError("the outgoing path or query holds a character that no URL may hold unencoded");
  }
}

/**
 * Checks what a response transform that is not trusted made: status, reason phrase and fields. The length of the body
 * stays what `destination` said of it: a transform may take the line away, not write another.
 */
export function checkResponse(response: ClientResponse, destination: ResponseHead | undefined): void {
  const { status, reason } = response;
  // Of a connection that is upgraded the status stays (RFC 9110, 15.2.2).
  if (destination?.status === 101 && status !== 101) throw new TypeError("the status of an upgrade cannot be changed");
  const isFinal = Number.isInteger(status) && status >= 200 && status <= 999;
  if (!isFinal && status !== destination?.status) throw new TypeError(`${status} is no final status`);
  if (reason !== undefined && !isReasonPhrase(reason)) throw new TypeError("the reason phrase cannot be sent");
  checkFields(response.headers);
  const { headers } = response;
  const index = headers.indexOf("content-length");
  if (index < 0) return;
  const length = destination?.headers.has("transfer-encoding") === true ? undefined : destination?.headers.get("content-length");
  if (headers.valueAt(index) === length && headers.indexOf("content-length", index + 1) < 0) return;
  headers.remove("content-length");
  if (length !== undefined) headers.append("Content-Length", length);
}

/** Throws when a line could not stand on the wire. */
export function checkFields(headers: HeaderList): void {
  for (let i = 0; i < headers.size; i++) {
    if (!isHeaderName(headers.nameAt(i))) {
      throw new TypeError(`header name ${JSON.stringify(headers.nameAt(i))} is not a token`);
    }
    if (!isHeaderValue(headers.valueAt(i))) {
      throw new TypeError(`value of header ${headers.nameAt(i)} holds a control character or one above 0xFF`);
    }
  }
}
