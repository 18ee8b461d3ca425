import type { Socket } from "node:net";
import type { BodySource, BodySink, ByteSink } from "./body.ts";
import type { HeaderList } from "./header-list.ts";

/**
 * One request and its response, as every front server presents it and every step of a proxy sees it. Servers:
 * the engines of HTTP/1.1 and HTTP/2, node:http, HTTP.sys. One contract suite runs against all of them.
 */
export interface Exchange {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  /**
   * Address of the client where the peer of the connection is a proxy that is believed; undefined: the peer is the client. Set once, by
   * whoever knows whom to believe; `clientAddressOf` reads it.
   */
  clientAddress?: string | undefined;
  /** Undefined when the request has no body on the wire (RFC 9112, 6.3): not the same as a body of length 0. */
  readonly body: BodySource | undefined;
  readonly response: ResponseSink;
  readonly features: ExchangeFeatures;
  /**
   * Told once when the client leaves (or its connection fails) before the response has ended. A listener added
   * after that is called at once. Listeners must not throw.
   */
  onClientGone(listener: (cause: Error) => void): void;
  /**
   * Told exactly once when the exchange is over in whatever way: response handed to the system as a whole,
   * aborted, client gone, upgraded connection closed, or delegated. For logs and counters; added late it is
   * called at once.
   */
  onComplete(listener: () => void): void;
  /**
   * Holds the connection, so that it can be given to another process with this request unread: cleartext HTTP/1.x on a socket
   * of the system. Undefined when it is too late: the body was touched, the response has started, or the exchange is over.
   * Missing where a connection is never given away (TLS, HTTP/2, a PROXY header).
   */
  readonly holdConnection?: (() => HeldConnection | undefined) | undefined;
}

/** Address of the client, as far as it is known: not that of a proxy in front which is believed. */
export function clientAddressOf(exchange: Exchange): string | undefined {
  return exchange.clientAddress ?? exchange.connection.remoteAddress;
}

/** What the client spoke. */
export type HttpVersion = "1.0" | "1.1" | "2" | "3";

export interface RequestHead {
  /** As on the wire; methods are case-sensitive (RFC 9110, 9.1). */
  readonly method: string;
  /** The request target as it came: origin, absolute, authority or asterisk form (RFC 9112, 3.2). */
  readonly target: string;
  /**
   * The path in its one normal form, still percent-encoded, beginning with `/` (or `*` for OPTIONS *): dot
   * segments removed, also encoded ones; `%2F` stays `%2F`. Routing decides on these bytes and the destination
   * gets them.
   */
  readonly path: string;
  /**
   * What an embedding server took off the path before it came here, percent-encoded, such as the mount path of an
   * express router; undefined when nothing.
   */
  readonly pathBase?: string | undefined;
  /** The query with its `?`, raw; empty when there is none. */
  readonly query: string;
  readonly scheme: "http" | "https";
  /** Host and optional port the request is for: validated, as spelt by the client, "" only in HTTP/1.0. */
  readonly authority: string;
  readonly httpVersion: HttpVersion;
  readonly headers: HeaderList;
}

/** The connection that a request came over. Addresses are those of its peer, which may be a proxy: see `clientAddressOf`. */
export interface ConnectionInfo {
  /** A number that is unique among the connections of this process. */
  readonly id: number;
  /** IP address of the client (IPv4-mapped IPv6 shown as IPv4), or undefined (a Unix socket). */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly tls: TlsInfo | undefined;
}

export interface TlsInfo {
  /** SNI, lower case; undefined when the client sent none. */
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** "TLSv1.2", "TLSv1.3" */
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  /** DER of the client's certificate, when it sent one. */
  readonly clientCertificate: Uint8Array | undefined;
  /** Whether the client's certificate was verified against the configured authorities. */
  readonly clientCertificateAuthorized: boolean;
}

export interface ResponseHead {
  readonly status: number;
  /** The reason phrase; undefined means the standard one. Ignored by HTTP/2 and later. */
  readonly reason?: string | undefined;
  /**
   * Fields in order. The server owns the framing: Content-Length is kept and enforced (more or fewer bytes
   * abort the exchange), Transfer-Encoding, Connection and Keep-Alive are ignored. A Date is added when missing.
   */
  readonly headers: HeaderList;
  /** Of a destination's answer: nothing but the end of its connection tells where it ends, so a whole one looks like one that was cut (RFC 9112, 6.3). */
  readonly endsWithConnection?: boolean | undefined;
}

/**
 * The answer. Calls go `informational* (send | start write* end)`, with `abort` at any time. A call out of order
 * throws an `ExchangeStateError` (programmer's error) — except after the client is gone or after `abort`, when
 * every call is accepted and does nothing, so that no late answer can crash a process.
 */
export interface ResponseSink extends ByteSink {
  /** True once the final head was given (`send` or `start`). */
  readonly started: boolean;
  /** The status that was given, or undefined before that. */
  readonly status: number | undefined;
  /** True once `end`, `send` or `abort` was called, or the client is gone. */
  readonly ended: boolean;
  /** Whether trailers given to `end` can reach this client (HTTP/1.1 chunked, HTTP/2; never HEAD/204/304). */
  readonly trailersSupported: boolean;
  /** Sends an interim response (100, 102-199; not 101). Dropped for an HTTP/1.0 client. */
  informational(status: number, headers: HeaderList): void;
  /** Head and whole body in one write. Sets Content-Length when the head has none. A string is UTF-8. */
  send(head: ResponseHead, body?: Uint8Array | string): void;
  /** As `send`, for a body of latin1 text: each character is a byte. Optional: for servers that write text at less cost. */
  sendLatin1?(head: ResponseHead, body: string): void;
  /** The head of a streamed response. It may leave together with the first chunk. */
  start(head: ResponseHead): void;
  /** A chunk of the body. Dropped where a response has none (HEAD, 204, 304). */
  write(chunk: Uint8Array): boolean;
  /** As `write`, for latin1 text of at most a few kilobytes. Optional: for servers that write text at less cost. */
  writeLatin1?(text: string): boolean;
  /** Sends what is held back (a head, a small chunk) now: for bodies that may pause, such as event streams. */
  flush(): void;
  end(trailers?: HeaderList): void;
  /** Ends in a way that no client takes for a complete answer: a reset or a cut connection, RST_STREAM. */
  abort(cause: Error): void;
}

/**
 * A connection that is not read any more while it is decided who answers the request. `cancel` and `release` end that; so does `lend`, after
 * which one call of `takeBack`, `letGo` or `reset` is due. Until one of them comes this process owns the socket, and whoever holds it sees to
 * it that one does. A call out of this order does nothing.
 */
export interface HeldConnection {
  /** Still open and owned by the server: not to be read, written or closed. */
  readonly socket: Socket;
  /** The head of the request in its one strict form, up to and with the empty line. */
  readonly head: Buffer;
  /** What came behind the head: bytes of the body, and of further requests. */
  readonly rest: Buffer;
  /** Bytes of the request's body; 0 when it has none, -1 when it is chunked. */
  readonly bodyLength: number;
  /** Nobody took it: the exchange goes on and is to be answered. `closes`: with the last answer, since somebody else may hold a copy. */
  cancel(connection: "stays" | "closes"): void;
  /** Another process has the connection for good: this process's copy is closed, the client is told nothing, the exchange is complete. */
  release(): void;
  /** Another process answers this request: the exchange is complete, and the connection stays open here, neither read nor written. */
  lend(): void;
  /** After `lend`: the connection stands between two requests again; `bytes` is what the other process read and did not use. Served as before. */
  takeBack(bytes: Buffer): void;
  /** After `lend`: this process's copy is closed without a word. Where it is the last one the connection ends, as it was left. */
  letGo(): void;
  /** After `lend`: nobody answers any more, so that the client must not take what it got for all there was. */
  reset(): void;
}

/** What a server can do beyond answering: absent where it cannot. */
export interface ExchangeFeatures {
  readonly upgrade?: UpgradeFeature | undefined;
  readonly delegation?: RequestDelegation | undefined;
  readonly bodyLimit?: BodyLimitFeature | undefined;
  readonly bodyRate?: BodyRateFeature | undefined;
  readonly clientCertificate?: ClientCertificateFeature | undefined;
}

/** The certificate of a client that need not have shown it in the handshake. Missing on connections that cannot have one. */
export interface ClientCertificateFeature {
  /**
   * Asks the client for its certificate (DER) unless it has shown one. `done` is told once, perhaps before this returns: undefined when the
   * client has none or gives none, an error when asking failed. `connection.tls` tells the certificate from then on.
   */
  receive(done: (certificate: Uint8Array | undefined, error: Error | undefined) => void): void;
}

/** The client asked to leave HTTP (RFC 9110, 7.8; RFC 8441). */
export interface UpgradeFeature {
  /** The protocols asked for, as in the Upgrade field, or the `:protocol` of an extended CONNECT. */
  readonly protocol: string;
  /** "http1": 101 is expected; "http2": an extended CONNECT, 200 is expected. */
  readonly kind: "http1" | "http2";
  /**
   * Answers with `head` (101, or 200 for http2; Connection: Upgrade is the server's to add) and hands the
   * connection over. Bytes that the client sent early are delivered by the tunnel first.
   */
  accept(head: ResponseHead): Tunnel;
}

/** Bytes both ways after an upgrade. */
export interface Tunnel extends ByteSink {
  /** Starts delivery of what the peer sends. `onEnd` is a half-close; `onError` a lost connection. */
  read(sink: BodySink): void;
  pause(): void;
  resume(): void;
  /** Half-closes towards the peer after all that was written. */
  end(): void;
  /**
   * The one listener told once when the server that this tunnel belongs to begins to close: the time to say farewell in
   * the protocol that is spoken through it, before the grace period cuts it. At once when it has begun already. Missing
   * where nobody tells.
   */
  onShutdown?(listener: () => void): void;
  abort(cause: Error): void;
}

/** Hands the request to another process before its body is read. */
export interface RequestDelegation {
  /** False once the body was touched or the response started. */
  readonly canDelegate: boolean;
  delegate(rule: DelegationRule): void;
}

/** Where to delegate to. Made by the carrier (HTTP.sys, Unix socket) that understands it. */
export interface DelegationRule {
  readonly queueName: string;
  readonly urlPrefix: string;
}

export interface BodyLimitFeature {
  /** Most bytes of request body accepted; undefined means no limit. */
  readonly maximum: number | undefined;
  /** True once the body is being read: too late to change. */
  readonly readOnly: boolean;
  /** True once `set` was called: the limit is meant for this request, and is not the server's for all. */
  readonly chosen?: boolean | undefined;
  /** Throws when `readOnly`. */
  set(maximum: number | undefined): void;
}

/** The minimum rate at which a request body has to come; absent where the server keeps none, or cannot tell requests apart. */
export interface BodyRateFeature {
  readonly lifted: boolean;
  /** This body may come as slowly as it likes: a stream of messages, which may be far apart. */
  lift(): void;
}

/**
 * A handler of exchanges: what a front server is given. A rejected promise or a throw is answered with 500; a `Completion`,
 * which is not rejected, costs less than a promise.
 */
export type ExchangeHandler = (exchange: Exchange) => void | Promise<void>;
