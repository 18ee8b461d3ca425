/** The numbers of `HttpClientOptions` with defaults filled in; `Infinity` is unlimited. */
export interface PoolOptions {
  readonly maxConnections: number;
  readonly maxQueuedRequests: number;
  readonly queueTimeout: number;
  readonly connectTimeout: number;
  readonly idleTimeout: number;
  readonly connectionLifetime: number;
  readonly maxResponseHeadersSize: number;
  readonly prewarm: number;
}
