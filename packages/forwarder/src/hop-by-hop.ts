import { type HeaderList, headerKey } from "@proxy/http";
import { KeySet } from "./key-set.ts";

/**
 * Fields that concern one connection, or one of its two sides, and so never pass (RFC 9110, 7.6.1, and those
 * that YARP drops with them).
 */
const connectionLevel: readonly string[] = [
  "connection",
  "transfer-encoding",
  "keep-alive",
  "upgrade",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-features",
  "proxy-instruction",
  "security-scheme",
  "alpn",
  "close",
  "http2-settings",
  "upgrade-insecure-requests",
  "te",
  "alt-svc",
];

/**
 * Keys that are never sent to a destination from a list of fields: the connection's, and the framing, which the
 * destination's client writes. `TE: trailers` is the one exception and dealt with apart.
 */
export const requestFieldsDropped: ReadonlySet<string> = new KeySet([...connectionLevel, "content-length", "expect"]);

/** What is special about a request field, so that the copying asks once per line. */
export type RequestFieldKind = "dropped" | "length" | "te" | "cookie" | "content";

/** Fields about content: on a request without any they stand for content of length 0. */
const aboutContent: readonly string[] = [
  "allow",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-location",
  "content-md5",
  "content-range",
  "content-type",
  "expires",
  "last-modified",
];

const requestFieldKinds: ReadonlyMap<string, RequestFieldKind> = new Map<string, RequestFieldKind>([
  ...aboutContent.map((key) => [key, "content"] as const),
  ...Array.from(requestFieldsDropped, (key) => [key, "dropped"] as const),
  ["content-length", "length"],
  ["te", "te"],
  ["cookie", "cookie"],
]);
const specialRequestKeys: ReadonlySet<string> = new KeySet(requestFieldKinds.keys());

/** What is special about the request field `key`; undefined: it is simply copied. */
export function requestFieldKind(key: string): RequestFieldKind | undefined {
  return specialRequestKeys.has(key) ? requestFieldKinds.get(key) : undefined;
}

/** Keys that are never copied from a response. Content-Length is dealt with apart. */
export const responseFieldsDropped: ReadonlySet<string> = new KeySet(connectionLevel);

/**
 * Keys that may not stand in a trailer (RFC 9110, 6.5.1): framing, routing, request modifiers, authentication,
 * response control, and what says how to read the content. And who the client is: a recipient that merges trailers
 * into the head would believe it over what the gateway said there.
 */
export const trailerFieldsDropped: ReadonlySet<string> = new Set([
  ...connectionLevel,
  "content-length",
  "host",
  "cache-control",
  "expect",
  "max-forwards",
  "pragma",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "authorization",
  "cookie",
  "set-cookie",
  "www-authenticate",
  "age",
  "date",
  "expires",
  "location",
  "retry-after",
  "vary",
  "warning",
  "content-encoding",
  "content-type",
  "content-range",
  "trailer",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-prefix",
  "x-forwarded-proto",
  "x-real-ip",
]);

/**
 * The keys that the Connection lines of a message name beside `close` and `keep-alive`, or undefined when there
 * are none: fields for the next hop only (RFC 9110, 7.6.1).
 */
export function fieldsNamedByConnection(headers: HeaderList): string[] | undefined {
  let named: string[] | undefined;
  for (let i = headers.indexOf("connection"); i >= 0; i = headers.indexOf("connection", i + 1)) {
    const value = headers.valueAt(i);
    if (value === "keep-alive" || value === "close" || value === "Keep-Alive") continue;
    for (const part of value.split(",")) {
      const key = headerKey(part.trim());
      if (key === "" || key === "close" || key === "keep-alive") continue;
      (named ??= []).push(key);
    }
  }
  return named;
}
