/**
 * The ways a forwarded request can fail, by direction and side; YARP's names and `RouteTimeout`. `docs/errors.md` has
 * a row for each.
 */
export const forwarderErrorCodes = [
  /** connecting, sending the head or waiting for the response head failed: 502; 503 when the queue is full */
  "Request",
  /** activity timeout or connect timeout before the response head: 504 */
  "RequestTimedOut",
  /** the client left, or the caller gave up, before the response head: 400 or 502 */
  "RequestCanceled",
  "RequestBodyCanceled",
  /** reading the request body from the client failed: 400, 408 or 413 */
  "RequestBodyClient",
  /** sending the request body to the destination failed: 502 or 504 */
  "RequestBodyDestination",
  /** the response head could not be used, or a response transform failed: 502 */
  "ResponseHeaders",
  "ResponseBodyCanceled",
  "ResponseBodyClient",
  "ResponseBodyDestination",
  "UpgradeRequestCanceled",
  "UpgradeRequestClient",
  "UpgradeRequestDestination",
  "UpgradeResponseCanceled",
  "UpgradeResponseClient",
  "UpgradeResponseDestination",
  /** nothing to send to: 503 */
  "NoAvailableDestinations",
  /** the cluster has as many requests as it may, and no place is left to wait: 503 with Retry-After */
  "Overloaded",
  /** the request could not be made: a transform threw, CONNECT: 502; a forbidden upgrade: 400 */
  "RequestCreation",
  "UpgradeActivityTimeout",
  /** the route's own timeout ran out before the response head: 504 */
  "RouteTimeout",
] as const;

/** One of `forwarderErrorCodes`. */
export type ForwarderErrorCode = (typeof forwarderErrorCodes)[number];

/** `source`: who is to blame. `retry`: whether the request may be sent again. `status`: what the client is to get, where it is not the code's own. */
export interface ForwarderErrorOptions extends ErrorOptions {
  readonly source: "client" | "gateway" | "destination";
  readonly retry: "never" | "safe";
  readonly status?: number | undefined;
}

/** The outcome of a forwarding that did not succeed. Returned, not thrown. */
export class ForwarderError extends Error {
  override readonly name = "ForwarderError";
  readonly code: ForwarderErrorCode;
  /** Who failed. */
  readonly source: "client" | "gateway" | "destination";
  /** "safe": nothing of the request reached a destination, so that sending it again, there or elsewhere, cannot do it twice. */
  readonly retry: "never" | "safe";
  /** The status the client was answered; undefined when a response had started already, or could not be given. */
  readonly status: number | undefined;

  constructor(code: ForwarderErrorCode, message: string, options: ForwarderErrorOptions) {
    super(message, options);
    this.code = code;
    this.source = options.source;
    this.retry = options.retry;
    this.status = options.status;
  }
}
