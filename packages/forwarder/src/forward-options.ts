import type { Exchange, HeaderList, ResponseHead } from "@proxy/http";

/** Settings of one forwarding; all optional. */
export interface ForwardOptions {
  /** Milliseconds without any byte moved in either direction before it is given up. Default 100 000. */
  readonly activityTimeout?: number | undefined;
  /** Milliseconds for the whole request until the response head; 504 when they run out. Default none. */
  readonly timeout?: number | undefined;
  /** What to change on the way; see `Transformer`. Default: `defaultTransformer`. */
  readonly transformer?: Transformer | undefined;
  /** Gives the request up when aborted: `RequestCanceled` and its kin. */
  readonly signal?: AbortSignal | undefined;
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
  /** Which attempt this is, from 1. */
  readonly attempt: number;
}

/**
 * Decides what a destination gets of the request and a client of the response. The mechanism only: the catalogue
 * of transforms by configuration is in `@proxy/pipeline`. Functions may return a promise; synchronous ones cost
 * none. Hop-by-hop fields are gone already, and framing is never theirs to write.
 */
export interface Transformer {
  /** Whether request fields are copied before `request` runs. Default true. */
  readonly copyRequestHeaders?: boolean | undefined;
  /** Whether response fields are copied before `response` runs. Default true. */
  readonly copyResponseHeaders?: boolean | undefined;
  readonly copyResponseTrailers?: boolean | undefined;
  /** When it answers on the exchange itself, nothing is forwarded. */
  readonly request?: ((exchange: Exchange, outgoing: OutgoingRequest) => void | Promise<void>) | undefined;
  /**
   * `destination` is the head that came, or undefined when none did (the answer is the gateway's own). Return
   * false to suppress body and trailers.
   */
  readonly response?:
    | ((
        exchange: Exchange,
        client: { status: number; reason: string | undefined; readonly headers: HeaderList },
        destination: ResponseHead | undefined,
      ) => void | false | Promise<void | false>)
    | undefined;
  readonly trailers?: ((exchange: Exchange, trailers: HeaderList) => void) | undefined;
}

