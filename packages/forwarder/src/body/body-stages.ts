import { Transform, type TransformCallback } from "node:stream";
import { isThenable } from "../thenable.ts";
import { type BodyTransform, BodyContentError } from "./body-transform.ts";

const highWaterMark = 65_536;

/** A `BodyTransform` as a stage of a stream. */
export class TransformStage extends Transform {
  readonly #transform: BodyTransform;

  constructor(transform: BodyTransform) {
    super({ highWaterMark });
    this.#transform = transform;
  }

  override _transform(chunk: Uint8Array, _encoding: string, callback: TransformCallback): void {
    // Empty ones are what decoders and other transforms may give.
    if (chunk.length === 0) callback();
    else pass(() => this.#transform.chunk(chunk), callback);
  }

  override _flush(callback: TransformCallback): void {
    pass(() => this.#transform.end(), callback);
  }
}

function pass(call: () => ReturnType<BodyTransform["end"]>, callback: TransformCallback): void {
  let piece: ReturnType<BodyTransform["end"]>;
  try {
    piece = call();
  } catch (cause) {
    callback(asError(cause));
    return;
  }
  if (!isThenable(piece)) {
    callback(null, piece);
    return;
  }
  void settle(piece, callback);
}

async function settle(piece: PromiseLike<Uint8Array | undefined>, callback: TransformCallback): Promise<void> {
  let later: Uint8Array | undefined;
  try {
    later = await piece;
  } catch (cause) {
    callback(asError(cause));
    return;
  }
  callback(null, later);
}

/** Lets `limit` bytes pass: what a small body may become when its content codings are taken off. */
export class LimitStage extends Transform {
  #left: number;

  constructor(limit: number) {
    super({ highWaterMark });
    this.#left = limit;
  }

  override _transform(chunk: Uint8Array, _encoding: string, callback: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) callback(new BodyContentError(413, "the body is too large once its content codings are taken off"));
    else callback(null, chunk);
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error("a body transform threw no Error", { cause });
}
