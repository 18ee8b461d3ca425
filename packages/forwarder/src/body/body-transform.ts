/** What a body transform gives: the bytes that take the place of a chunk, or undefined for none. */
export type BodyPiece = Uint8Array | undefined;

/**
 * Changes one body on its way, chunk by chunk; made anew for each message. It sees the body without its content codings
 * (RFC 9110, 8.4.1); the forwarder takes them off before and puts them on again. The next call comes when the last one has
 * given its bytes, and when the receiver has room: a transform needs to know nothing of backpressure.
 *
 * A throw or a rejection breaks the message off, so that nobody takes it for a whole one: `BodyContentError` blames who sent the
 * body, anything else the gateway.
 */
export interface BodyTransform {
  /** `chunk` is never empty, and the transform's to keep. Where chunks begin and end means nothing. */
  chunk(chunk: Uint8Array): BodyPiece | Promise<BodyPiece>;
  /** The body is whole: gives what is still to come. Not called for a body without any byte. */
  end(): BodyPiece | Promise<BodyPiece>;
}

/** How the body of one message is changed. */
export interface BodyChange {
  /** In the order in which they see the body. */
  readonly transforms: BodyTransform[];
  /** Most bytes of a body that has content codings once they are taken off; more break the message off. Default 67 108 864. */
  maxDecodedSize?: number | undefined;
}

/** The body is not what it says, or more than what is taken of it: its sender is to blame. */
export class BodyContentError extends Error {
  override readonly name = "BodyContentError";
  /** What a client is answered with: 400, 413 or 415. For a response it is 502. */
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Adds `transform` to those of a message; of several limits for its decoded size the lowest counts. */
export function addBodyTransform(
  message: { bodyChange?: BodyChange | undefined },
  transform: BodyTransform,
  maxDecodedSize?: number | undefined,
): void {
  const change = (message.bodyChange ??= { transforms: [] });
  change.transforms.push(transform);
  if (maxDecodedSize !== undefined) change.maxDecodedSize = Math.min(change.maxDecodedSize ?? Infinity, maxDecodedSize);
}
