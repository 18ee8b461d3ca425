/** Limits of a front server: Kestrel's names and defaults; times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** Longest request line (method, target, version). 414 beyond. Default 8192. */
  readonly maxRequestLineSize: number;
  /** Most bytes of all header lines together. 431 beyond. Default 32 768. */
  readonly maxRequestHeadersTotalSize: number;
  /** Most header lines. 431 beyond. Default 100. */
  readonly maxRequestHeaderCount: number;
  /** Most bytes of a request body; undefined is unlimited. 413 beyond. Default 30 000 000. */
  readonly maxRequestBodySize: number | undefined;
  /** From the first byte of a head (or the connection's opening) to its end. 408 beyond. Default 30 000. */
  readonly requestHeadersTimeout: number;
  /** Idle time between requests. Default 130 000. */
  readonly keepAliveTimeout: number;
  /** Slowest request body, after a grace period; undefined is no minimum. 408 below. Default 240 B/s after 5 s. */
  readonly minRequestBodyDataRate: MinDataRate | undefined;
  /** Slowest reader of a response; undefined is no minimum. The connection is reset below. Default 240 B/s after 5 s. */
  readonly minResponseDataRate: MinDataRate | undefined;
  /**
   * Most open connections of the servers that share a `ConnectionBudget`, upgraded ones not counted; undefined is
   * unlimited. One more is closed at once. Default unlimited.
   */
  readonly maxConcurrentConnections: number | undefined;
  /**
   * Most upgraded connections of the servers that share a `ConnectionBudget`; undefined is unlimited. One more gets 503.
   * Default unlimited.
   */
  readonly maxConcurrentUpgradedConnections: number | undefined;
  /** Bytes of a request held before reading from the socket stops. Default 1 048 576. */
  readonly maxRequestBufferSize: number;
  /** Bytes of a response held before `write` gives false. Default 65 536. */
  readonly maxResponseBufferSize: number;
  /** Extension: requests on one connection, then it is closed; undefined is unlimited. Default unlimited. */
  readonly maxRequestsPerConnection: number | undefined;
  /**
   * Extension: a client that half-closed (sent FIN) after its request still gets its answer, but a FIN is also all that
   * shows of a client that left. It counts as gone once nothing was sent to it for this long. Default 2000.
   */
  readonly halfClosedTimeout: number;
}

export interface MinDataRate {
  readonly bytesPerSecond: number;
  /** Milliseconds before the rate is enforced. */
  readonly gracePeriod: number;
}

/** The limits of a server that is given none: Kestrel's, where Kestrel has them. */
export const defaultServerLimits: ServerLimits = {
  maxRequestLineSize: 8192,
  maxRequestHeadersTotalSize: 32_768,
  maxRequestHeaderCount: 100,
  maxRequestBodySize: 30_000_000,
  requestHeadersTimeout: 30_000,
  keepAliveTimeout: 130_000,
  minRequestBodyDataRate: { bytesPerSecond: 240, gracePeriod: 5000 },
  minResponseDataRate: { bytesPerSecond: 240, gracePeriod: 5000 },
  maxConcurrentConnections: undefined,
  maxConcurrentUpgradedConnections: undefined,
  maxRequestBufferSize: 1_048_576,
  maxResponseBufferSize: 65_536,
  maxRequestsPerConnection: undefined,
  halfClosedTimeout: 2000,
};
