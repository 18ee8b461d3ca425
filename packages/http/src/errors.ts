/** A request that cannot be served as it stands; the front server answers `status` and closes where it must. */
export class BadRequestError extends Error {
  override readonly name = "BadRequestError";
  /** The status of the answer: 400, 408, 413, 414, 417, 421, 431, 501, 505. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

/** A call out of order on an exchange: a second `start`, a write before the head. A programmer's error. */
export class ExchangeStateError extends Error {
  override readonly name = "ExchangeStateError";
  readonly code = "EXCHANGE_STATE";
}

/** The client left before the exchange was over. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";
  readonly code = "CLIENT_GONE";
}
