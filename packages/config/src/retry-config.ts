/** Extension: requests that a destination failed are sent to another one. */

/**
 * - `ConnectFailure`: no connection could be had (DNS, TCP, TLS, a full queue): nothing of the request was sent
 * - `Reset`: the connection broke, or what came was no HTTP, before the response head
 * - `Timeout`: no response head within `perTryTimeout` or the activity timeout; never the route's own `timeout`
 */
export type RetryCondition = "ConnectFailure" | "Reset" | "Timeout";

/** When a request is tried again, always at another destination, never once its response has started. */
export interface RetryConfig {
  /** Default true: writing the section turns retries on. */
  readonly enabled?: boolean | undefined;
  /** Attempts in all, the first included; 1 to 10. Default 3. */
  readonly maxAttempts?: number | undefined;
  /** Default all three. */
  readonly on?: readonly RetryCondition[] | undefined;
  /** Statuses of destinations that count as failures, 400 to 599. Default none. */
  readonly statusCodes?: readonly number[] | undefined;
  /** Default the idempotent ones: DELETE, GET, HEAD, OPTIONS, PUT, TRACE (RFC 9110, 9.2.2). */
  readonly methods?: readonly string[] | undefined;
  /** Milliseconds for each attempt until the response head. Default none. */
  readonly perTryTimeout?: number | undefined;
  /** Bytes of a request body kept for another attempt; a request with a larger one is not tried again once it was begun. Default 65 536. */
  readonly maxBodySize?: number | undefined;
}

/** How many of a cluster's requests may be retries: over ten seconds, `percent` of the requests, and `minPerSecond` in any case. */
export interface RetryBudgetConfig {
  /** 0 to 100. Default 20. */
  readonly percent?: number | undefined;
  /** 0 or more. Default 10. */
  readonly minPerSecond?: number | undefined;
}
