/** The other party does not answer, or not with what it should: nothing is wrong with the request. `retryAfter`: seconds. */
export class ProviderUnavailableError extends Error {
  override readonly name = "ProviderUnavailableError";
  readonly retryAfter: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly retryAfter?: number } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter ?? 5;
  }
}

/** The answer of the other party signs nobody in. The message is for the log; `status` for the client. */
export class SignInRefusedError extends Error {
  override readonly name = "SignInRefusedError";
  readonly status: number;

  constructor(message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status ?? 400;
  }
}
