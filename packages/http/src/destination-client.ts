import type { LookupFunction } from "node:net";
import type { BodySource } from "./body.ts";
import type { HttpVersion, ResponseHead, Tunnel } from "./exchange.ts";
import type { HeaderList } from "./header-list.ts";
import type { DestinationTls } from "./tls/destination-tls.ts";

/**
 * The destination side: a client that owns the connections to one origin (scheme, host, port) with one set of
 * settings and sends one request per call. Implementations: the engines' pools for HTTP/1.1 and HTTP/2, undici. One
 * contract suite runs against all of them.
 */
export interface DestinationClient {
  /**
   * Sends `request`. All that happens is told to `handler`, which hears exactly one final call: `onEnd`,
   * `onWholeResponse`, `onUpgrade` or `onError`; nothing after it. Never throws for what a peer does; calls may come before this
   * returns.
   */
  send(request: DestinationRequest, handler: DestinationHandler): DestinationCall;
  /** Takes no new request, closes connections as they fall idle; resolves when the last one is closed. */
  close(): Promise<void>;
  /** Ends all connections now; requests under way get `onError`. */
  destroy(cause?: Error): void;
}

/** Clients for any number of origins with the same settings: what YARP calls the HTTP client of a cluster. */
export interface HttpClient {
  /** The client for `origin`; the same one for an equal origin. Hold on to it: the look-up is not free. */
  destination(origin: DestinationOrigin): DestinationClient;
  /** Closes all its clients as they fall idle. */
  close(): Promise<void>;
  destroy(cause?: Error): void;
}

export interface DestinationOrigin {
  readonly scheme: "http" | "https";
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Name for SNI and certificate check where the client's settings have none. Default: the host. */
  readonly serverName?: string | undefined;
}

/** Settings of an `HttpClient`; times in milliseconds. */
export interface HttpClientOptions {
  /** Connections per origin. Default unlimited. */
  readonly maxConnections?: number | undefined;
  /** Whether further HTTP/2 connections are opened when the streams of the first are all in use. Default true. */
  readonly multipleHttp2Connections?: boolean | undefined;
  /** Requests that may wait for a connection when all are busy. Default unlimited. */
  readonly maxQueuedRequests?: number | undefined;
  /** How long one may wait; then a `DestinationError` with `timedOut`. Default none. */
  readonly queueTimeout?: number | undefined;
  /** DNS, TCP and TLS together. Default 15 000. */
  readonly connectTimeout?: number | undefined;
  /**
   * How long an idle connection is kept. Default 60 000. The engine keeps it no longer than a second less than the
   * destination said it would (`Keep-Alive: timeout=5`), or half as long when that is shorter.
   */
  readonly idleTimeout?: number | undefined;
  /** Age after which a connection is not used again. Default unlimited. */
  readonly connectionLifetime?: number | undefined;
  /**
   * Connections that the engine opens when an origin is first asked for, ahead of requests; they grow old like the others.
   * Default 0.
   */
  readonly prewarm?: number | undefined;
  /** Most bytes of a response head. Default 65 536. */
  readonly maxResponseHeadersSize?: number | undefined;
  /** Given as a `DestinationTls` it can be changed while the client is in use. */
  readonly tls?: DestinationTlsOptions | DestinationTls | undefined;
  /**
   * For http destinations it is asked for the whole URL (RFC 9112, 3.2.2), for https destinations and upgrades for a tunnel
   * (CONNECT). Default none; the environment is not asked.
   */
  readonly webProxy?: WebProxyOptions | undefined;
  /**
   * Address of this machine that connections are made from. Host names then stand for their addresses of the same family, of which the
   * first is tried. Default: the system's choice.
   */
  readonly localAddress?: string | undefined;
  /** Looks host names up; for tests. Default: the system's resolver. */
  readonly lookup?: LookupFunction | undefined;
}

/** As `node:tls` names them. */
export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

export interface DestinationTlsOptions {
  /** Name for SNI and certificate check. Default: the origin's `serverName`, or its host. */
  readonly serverName?: string | undefined;
  /** Turns the check of the certificate off. Default false. */
  readonly acceptAnyCertificate?: boolean | undefined;
  /** Default: TLS 1.2. A lower one also lowers what OpenSSL demands of keys and signatures. */
  readonly minVersion?: TlsVersion | undefined;
  readonly maxVersion?: TlsVersion | undefined;
  /** Versions between these two that are not spoken. */
  readonly withoutVersions?: readonly TlsVersion[] | undefined;
  /** PEM of the authorities that vouch for destinations. Default: those that Node knows. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** What the client shows of itself: PEM, the certificate first, then its chain. */
  readonly cert?: string | Uint8Array | undefined;
  /** PEM. Default: in `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** Certificate and key as PKCS #12, instead of `cert`. */
  readonly pfx?: Uint8Array | undefined;
  /** Opens an encrypted `key` or `pfx`. */
  readonly passphrase?: string | undefined;
}

/** An HTTP proxy that requests take to their destinations. */
export interface WebProxyOptions {
  /** `http://host:port`; a user name and password in it go to the proxy as Basic credentials (RFC 7617), and nowhere else. */
  readonly address: string;
  /** Whether destinations on this machine, or with a name without dots, are reached directly. Default false. */
  readonly bypassOnLocal?: boolean | undefined;
}

/** Which versions may stand in for the one asked for; over cleartext "or lower" means HTTP/1.1. */
export type VersionPolicy = "RequestVersionOrLower" | "RequestVersionOrHigher" | "RequestVersionExact";

export interface DestinationRequest {
  readonly method: string;
  /** Path and query as they go on the wire (origin form), or `*`. */
  readonly target: string;
  /**
   * The fields to send, Host among them (or the authority of HTTP/2). No framing or connection fields: the
   * client writes those itself from `body` and `upgrade`; Content-Length is taken from `body.length`.
   */
  readonly headers: HeaderList;
  /** Undefined: no body. The client reads it, and cancels it when it is no longer wanted. */
  readonly body: BodySource | undefined;
  /**
   * The version asked for, and whether another may stand in: settings of the cluster, passed on to clients that can
   * choose. A client of one version sends that one; see its documentation.
   */
  readonly httpVersion?: HttpVersion | undefined;
  readonly versionPolicy?: VersionPolicy | undefined;
  /**
   * Asks to leave HTTP with this Upgrade value; the answer is `onUpgrade` or an ordinary response. Over HTTP/2 it is the
   * `:protocol` of an extended CONNECT (RFC 8441). Then version and policy are asked exactly: a client that cannot have
   * them fails with `versionUnavailable`.
   */
  readonly upgrade?: string | undefined;
  /**
   * The client sent `Expect: 100-continue`: send the head, and the body only after 100 (or one second without an
   * answer); a final status first means the body is never read.
   */
  readonly expectContinue?: boolean | undefined;
  /**
   * The connection that takes it takes no other afterwards: its destination may know everything that comes on it as this client's. Connections of
   * HTTP/2 are shared from the beginning: it goes over HTTP/1.1, and fails with `versionUnavailable` where that is not allowed.
   */
  readonly singleUse?: boolean | undefined;
}

export interface DestinationHandler {
  /** An interim response other than 101 (100 included). */
  onInformational(status: number, headers: HeaderList): void;
  onResponse(head: ResponseHead): void;
  /** A chunk of the response body; the same rule for the memory as in `BodySink.onData`. */
  onData(chunk: Uint8Array): boolean | void;
  /**
   * Optional, in place of `onResponse`, `onData` and `onEnd`: a small response that came as a whole, without trailers.
   * `body` is latin1 text, a character for each byte. A client may always tell the parts instead. A throw is told by
   * `onError`.
   */
  onWholeResponse?(head: ResponseHead, body: string): void;
  /** Optional: whether a small piece of the body may come as text now, by `onText`. */
  readonly takesText?: boolean;
  /** In place of `onData` while `takesText`: `text` is latin1, a character for each byte. */
  onText?(text: string): void;
  /**
   * The response is complete. The request body may still be on its way: over HTTP/1.1 the client has cancelled it; over HTTP/2 it
   * goes on until it is whole, the destination wants no more of it (then it is cancelled), or the call is aborted.
   */
  onEnd(trailers: HeaderList | undefined): void;
  /** 101 (or 2xx to an extended CONNECT) came: the connection is a tunnel from here on. */
  onUpgrade(head: ResponseHead, tunnel: Tunnel): void;
  onError(error: DestinationError): void;
  /** Bytes of the request moved towards the destination (or the connection stands): re-arms timeouts. */
  onProgress(): void;
}

export interface DestinationCall {
  /** Stops `onData` after the chunk in hand. */
  pause(): void;
  resume(): void;
  /** Gives the request up: its connection is closed (or its stream reset); no further call of the handler. */
  abort(cause: Error): void;
}

/** At which step a request to a destination failed. */
export type DestinationErrorStep =
  /** waiting for a connection, or opening one (DNS, TCP, TLS) */
  | "connect"
  /** sending the head, or waiting for the response head */
  | "request"
  /** sending the request body */
  | "request-body"
  /** the response head was not HTTP */
  | "response-head"
  /** the response body broke off */
  | "response-body";

/** The members of a `DestinationError`; what is left out is false, and the source the destination. */
export interface DestinationErrorOptions extends ErrorOptions {
  readonly step: DestinationErrorStep;
  readonly source?: "client" | "destination" | "gateway" | undefined;
  readonly timedOut?: boolean | undefined;
  readonly overloaded?: boolean | undefined;
  readonly versionUnavailable?: boolean | undefined;
  readonly requestSent: boolean;
}

/** A request to a destination failed. The message names the destination, never a credential. */
export class DestinationError extends Error {
  override readonly name = "DestinationError";
  readonly step: DestinationErrorStep;
  /** Who failed. "client" when the request body's source broke off. */
  readonly source: "client" | "destination" | "gateway";
  /** A connect timeout or the wait limit of the connection queue. */
  readonly timedOut: boolean;
  /** The connection queue is full: answer 503 at once. */
  readonly overloaded: boolean;
  /**
   * The origin (or this client) does not speak the version that was asked for, or knows no extended CONNECT in it
   * (RFC 8441): nothing was sent, and another version may do.
   */
  readonly versionUnavailable: boolean;
  /**
   * False guarantees that no byte of the request reached the destination, or that the destination said itself that it has not
   * looked at it (RFC 9113, 8.7), and that its body was not begun: sending it again is safe.
   */
  readonly requestSent: boolean;

  constructor(message: string, options: DestinationErrorOptions) {
    super(message, options);
    this.step = options.step;
    this.source = options.source ?? "destination";
    this.timedOut = options.timedOut ?? false;
    this.overloaded = options.overloaded ?? false;
    this.versionUnavailable = options.versionUnavailable ?? false;
    this.requestSent = options.requestSent;
  }
}
