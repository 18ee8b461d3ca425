import type {
  BodySource,
  Exchange,
  HeaderList,
  HttpClient,
  HttpVersion,
  ResponseHead,
  VersionPolicy,
} from "@proxy/http";
import type { BodyChange } from "./body/body-transform.ts";
import type { ForwarderError } from "./forwarder-error.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { WebSocketReport } from "./websocket/report.ts";

/** Settings of one forwarding; all optional. */
export interface ForwardOptions {
  /** Milliseconds without any byte moved in either direction before it is given up. Default 100 000. */
  readonly activityTimeout?: number | undefined;
  /** Milliseconds for the whole request until the response head; 504 when they run out. Default none. */
  readonly timeout?: number | undefined;
  /** The HTTP version to ask of the destination. Default "2". */
  readonly version?: HttpVersion | undefined;
  /** Which other version may stand in. Default `RequestVersionOrLower`: over cleartext that is HTTP/1.1. */
  readonly versionPolicy?: VersionPolicy | undefined;
  /** What to change on the way; see `Transformer`. Default: `defaultTransformer`. */
  readonly transformer?: Transformer | undefined;
  /** Gives the request up when aborted: `RequestCanceled` and its kin. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Fields that the gateway itself has for the client. The destination's lines come after them; its
   * Strict-Transport-Security gives way to one that stands here. Not changed.
   */
  readonly responseHeaders?: HeaderList | undefined;
  /** Sent in the place of the exchange's body: a source that wraps it, or `bytesBody` of `@proxy/http`. Only for an exchange that has one. */
  readonly body?: BodySource | undefined;
  /** Makes this one of several attempts. Default: the only one. */
  readonly attempt?: ForwardAttempt | undefined;
  /**
   * Aborted when the gateway goes away: an open WebSocket is told on both sides (Close, 1001), as when the server of its client
   * begins to close. Nothing is cut: that is for who owns the connections.
   */
  readonly shutdown?: AbortSignal | undefined;
  /** Told once what a WebSocket carried, when it is over. Default: nobody, and nothing is counted up. */
  readonly onWebSocketClosed?: ((report: WebSocketReport) => void) | undefined;
  /** The clock of the timeouts. Default: one that the process shares. For tests. */
  readonly timers?: TimerWheel | undefined;
}

/**
 * One of several attempts to serve an exchange, each a forwarding of its own. It is asked before anything of the attempt
 * reaches the client (interim responses aside), and may take the exchange back, unanswered, for another attempt. Must not throw.
 */
export interface ForwardAttempt {
  /** From 1. Request transforms are told. */
  readonly number: number;
  /**
   * Milliseconds for this attempt until the response head: `RequestTimedOut`, 504. They begin anew while the client's body is
   * what is waited for. Default: those of the whole.
   */
  readonly timeout?: number | undefined;
  /** It failed without a response head. True: the client is not answered; the outcome is told as always, without a status. */
  failed(error: ForwarderError): boolean;
  /** The response head came. True: the response is dropped, the client is not answered, and the outcome is told as undefined. */
  responded(head: ResponseHead): boolean;
}

/** Settings of `forwardWith`. */
export interface ForwardWithOptions extends ForwardOptions {
  readonly client: HttpClient;
}

/** The request on its way out, before it is sent. Transforms change it in place. */
export interface OutgoingRequest {
  method: string;
  /** Scheme, host, optional port and base path of the destination. */
  destinationPrefix: string;
  /** Raw path, percent-encoded, with leading `/`. */
  path: string;
  /** Raw query with its `?`, or empty. */
  query: string;
  /** Set to send somewhere else than prefix + path + query: an absolute URL. */
  url: string | undefined;
  readonly headers: HeaderList;
  /** The request's body; may be replaced by another source where the request has one. */
  body: BodySource | undefined;
  /**
   * What changes the body chunk by chunk on its way (`addBodyTransform`). Fields about its length and its bytes then fall away, and it
   * goes out in chunks. A request without body, or with one of length 0, is not changed.
   */
  bodyChange?: BodyChange | undefined;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
}

/** The response on its way to the client, before it is started. Transforms change it in place. */
export interface ClientResponse {
  status: number;
  /** Undefined: the standard reason phrase of the status. */
  reason: string | undefined;
  readonly headers: HeaderList;
  /**
   * What changes the body chunk by chunk on its way (`addBodyTransform`). Length, digests and `Accept-Ranges` then fall away, and an ETag
   * becomes a weak one. Without effect on a 206, which is a part of something, on upgrades, and where no destination answered.
   */
  bodyChange?: BodyChange | undefined;
  /** As in `ResponseHead`. */
  readonly endsWithConnection?: boolean | undefined;
}

/**
 * Decides what a destination gets of the request and a client of the response. The mechanism only: the catalogue
 * of transforms by configuration is in `@proxy/pipeline`. Functions may return a promise; synchronous ones cost
 * none. Hop-by-hop fields are gone already, and framing is never theirs to write.
 */
export interface Transformer {
  /** Whether request fields are copied before `request` runs. Default true. */
  readonly copyRequestHeaders?: boolean | undefined;
  /** Keys (lower case) of request fields that are not copied. Without `host`, the client's Host is kept. */
  readonly omitRequestHeaders?: ReadonlySet<string> | undefined;
  /** Whether response fields are copied before `response` runs. Default true. */
  readonly copyResponseHeaders?: boolean | undefined;
  readonly copyResponseTrailers?: boolean | undefined;
  /**
   * Promises that the functions add valid names and values only, and no connection or framing field; the
   * forwarder then leaves its own check out. Default false.
   */
  readonly trusted?: boolean | undefined;
  /** When it answers on the exchange itself, nothing is forwarded. A throw is `RequestCreation`, 502. */
  readonly request?: ((exchange: Exchange, outgoing: OutgoingRequest) => void | Promise<void>) | undefined;
  /**
   * `destination` is the head that came, or undefined when none did (the answer is the gateway's own). Return
   * false to suppress body and trailers. A throw is `ResponseHeaders`, 502.
   */
  readonly response?:
    | ((
        exchange: Exchange,
        client: ClientResponse,
        destination: ResponseHead | undefined,
      ) => void | false | Promise<void | false>)
    | undefined;
  readonly trailers?: ((exchange: Exchange, trailers: HeaderList) => void) | undefined;
}
