import { type DestinationClient, type DestinationOrigin, HeaderList, type HttpClient } from "@proxy/http";
import { encodePath } from "./encode-path.ts";

/** What may not stand in a prefix: blanks, controls, and what would begin another part of a URL. */
const forbidden = /[\s\u0000-\u0020\u007f\\?#@"<>^`{|}]/u;
const shape = /^(https?):\/\/([^/]+)(\/.*)?$/iu;

/**
 * A destination, parsed once, so that forwarding to it parses nothing. Made by `prepareDestination`; hold on to
 * it for as long as the address stands.
 */
export class Destination {
  /** The address as it was given. */
  readonly prefix: string;
  readonly origin: DestinationOrigin;
  /** Host and, unless it is the default of the scheme, port: the value of the Host field. */
  readonly authority: string;
  /** Encoded path that goes in front of the request's, without the slash at its end; often empty. */
  readonly basePath: string;
  /** internal: the Host line, shared by all requests */
  readonly hostLine: HeaderList;
  #http: HttpClient | undefined;
  #client: DestinationClient | undefined;

  constructor(prefix: string, origin: DestinationOrigin, authority: string, basePath: string) {
    this.prefix = prefix;
    this.origin = origin;
    this.authority = authority;
    this.basePath = basePath;
    this.hostLine = HeaderList.from([["Host", authority]]);
  }

  /** The connections of `http` to this destination; the last answer is kept. */
  clientOf(http: HttpClient): DestinationClient {
    if (this.#http === http) return this.#client as DestinationClient;
    const client = http.destination(this.origin);
    this.#http = http;
    this.#client = client;
    return client;
  }
}

/**
 * Parses a destination's address, such as `https://10.0.0.7:8443/api`: scheme, host, optional port, optional
 * base path. `serverName` is what it is asked for in TLS instead of the host. Throws a TypeError that says what is wrong; user names and passwords, queries and fragments are
 * refused.
 */
export function prepareDestination(prefix: string, options: { readonly serverName?: string | undefined } = {}): Destination {
  const parts = shape.exec(prefix);
  // A password may stand before an @: then the text is not repeated.
  const shown = prefix.includes("@") ? "the destination address" : `destination address ${JSON.stringify(prefix)}`;
  if (parts === null) throw new TypeError(`${shown} is not an absolute http or https URL`);
  if (forbidden.test(prefix)) {
    throw new TypeError(`${shown} holds what an address cannot: a blank, user name, query, fragment or such`);
  }
  let url: URL;
  try {
    url = new URL(prefix);
  } catch (cause) {
    throw new TypeError(`${shown} has no valid host and port`, { cause });
  }
  const scheme = url.protocol === "https:" ? "https" : "http";
  const port = url.port === "" ? (scheme === "https" ? 443 : 80) : Number(url.port);
  if (port === 0) throw new TypeError(`${shown} has port 0`);
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  const basePath = url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  const { serverName } = options;
  const origin: DestinationOrigin = serverName === undefined ? { scheme, host, port } : { scheme, host, port, serverName };
  return new Destination(prefix, origin, url.host, basePath);
}

const maximumRemembered = 256;
const remembered = new Map<string, Destination>();

/** `prepareDestination`, remembering the last few hundred addresses. */
export function destinationOf(prefix: string): Destination {
  const known = remembered.get(prefix);
  if (known !== undefined) return known;
  const destination = prepareDestination(prefix);
  if (remembered.size >= maximumRemembered) remembered.clear();
  remembered.set(prefix, destination);
  return destination;
}

/**
 * The absolute URL for a *decoded* path at a destination: prefix, encoded path, raw query (with its `?`). One
 * slash is dropped where both meet in one. For code that sets `OutgoingRequest.url`.
 */
export function makeDestinationAddress(prefix: string, path: string, query: string): string {
  if (path === "") {
    const parts = shape.exec(prefix);
    return (parts !== null && parts[3] === undefined ? `${prefix}/` : prefix) + query;
  }
  const base = prefix.endsWith("/") && path.startsWith("/") ? prefix.slice(0, -1) : prefix;
  return base + encodePath(path) + query;
}
