/** Why a request was not handed over. */
export type DelegationErrorCode =
  /** Nobody has opened the queue or the socket (yet): HTTP.sys 2, ENOENT, ECONNREFUSED. */
  | "NOT_FOUND"
  /** The other process has gone since: HTTP.sys 6807, a channel that broke. */
  | "GONE"
  /** This handle was closed by a reset or a reload while it was being used. */
  | "DISPOSED"
  /** The other process has as much as it can take. */
  | "BUSY"
  /** Permissions, another user, another protocol version: it will not get better by itself. */
  | "REFUSED"
  /** This machine cannot delegate at all: no koffi, a wrong system. */
  | "UNSUPPORTED"
  | "FAILED";

/** A hand-over that did not take place. Whoever gets it still owns the request. */
export class DelegationError extends Error {
  override readonly name = "DelegationError";
  readonly code: DelegationErrorCode;
  /** Whether another process may hold a copy of the client's connection, so that it must not be used for a further request. */
  readonly mayBeShared: boolean;

  constructor(code: DelegationErrorCode, message: string, options: ErrorOptions & { readonly mayBeShared?: boolean } = {}) {
    super(message, options);
    this.code = code;
    this.mayBeShared = options.mayBeShared ?? false;
  }
}

/** `value` as an error of this package; what is none becomes `FAILED`. */
export function asDelegationError(value: unknown): DelegationError {
  if (value instanceof DelegationError) return value;
  const message = value instanceof Error ? value.message : String(value);
  return new DelegationError("FAILED", message, { cause: value });
}
