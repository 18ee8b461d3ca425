/**
 * A body on its way through transforms:
 *
 *     in → content codings off → at most so many bytes → transforms in order → content codings on → out
 *
 * Only messages that are to be changed have one: Node's streams, and their cost, stay off the path of all others.
 */
import { PassThrough, type Transform } from "node:stream";
import { LimitStage, TransformStage } from "./body-stages.ts";
import { BodyContentError, type BodyChange } from "./body-transform.ts";
import { decodersOf, type Encoder, encodersOf } from "./content-coding.ts";

/** What a changed body tells. Exactly one of the last two comes, and nothing after it; none of them after `destroy`. */
export interface ChangedBodyOwner {
  /** There is room for the next chunk, after `write` gave false. */
  onChangedRoom(): void;
  onChangedData(chunk: Uint8Array): void;
  onChangedEnd(): void;
  /** A `BodyContentError` where the sender of the body is to blame. */
  onChangedError(error: Error): void;
}

export interface ChangedBodyOptions {
  readonly change: BodyChange;
  /** What the body comes with, and is to go out with: see `contentCodings`. */
  readonly decode: readonly string[];
  readonly encode: readonly string[];
  /** Nothing is held back to compress it better, not even for a moment. */
  readonly flushing: boolean;
}

const defaultMaxDecodedSize = 67_108_864;
const highWaterMark = 65_536;
/** Milliseconds that encoders may hold back what came: a body may pause for long, and its receiver waits for just that. */
const longestHeld = 50;

export class ChangedBody {
  readonly #options: ChangedBodyOptions;
  readonly #owner: ChangedBodyOwner;
  #stages: Transform[] = [];
  #encoders: readonly Encoder[] = [];
  #holding: NodeJS.Timeout | undefined = undefined;
  #paused = false;
  #over = false;

  constructor(options: ChangedBodyOptions, owner: ChangedBodyOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Whether `write` gave false and there is no room yet. */
  get full(): boolean {
    return this.#stages[0]?.writableNeedDrain === true;
  }

  /** Takes a chunk, to keep. False: wait for `onChangedRoom`. */
  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    if (this.#stages.length === 0) this.#open();
    return (this.#stages[0] as Transform).write(chunk);
  }

  /** The body is whole. One without any byte stays so. */
  end(): void {
    if (this.#over) return;
    if (this.#stages.length > 0) this.#stages[0]?.end();
    else this.#end();
  }

  pause(): void {
    this.#paused = true;
    this.#stages.at(-1)?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stages.at(-1)?.resume();
  }

  /** It is no longer wanted: nothing is told any more. */
  destroy(): void {
    this.#over = true;
    clearTimeout(this.#holding);
    for (const stage of this.#stages) stage.destroy();
  }

  #open(): void {
    const { change, decode, encode, flushing } = this.#options;
    const decoders = decodersOf(decode);
    const limit = decoders.length === 0 ? [] : [new LimitStage(change.maxDecodedSize ?? defaultMaxDecodedSize)];
    const transforms = change.transforms.map((each) => new TransformStage(each));
    const input = new PassThrough({ highWaterMark });
    const plain = [input, ...decoders, ...limit, ...transforms];
    this.#encoders = encodersOf(encode, flushing);
    this.#stages = [...plain, ...this.#encoders.map(({ stage }) => stage)];
    if (!flushing) for (let i = plain.length; i < this.#stages.length; i++) this.#stages[i - 1]?.on("data", () => this.#hold());
    const encoded = new Set<Transform>(decoders);
    for (const [index, stage] of this.#stages.entries()) {
      stage.on("error", (error) => this.#fail(encoded.has(stage) ? notDecoded(error) : error));
      const next = this.#stages[index + 1];
      if (next !== undefined) stage.pipe(next);
    }
    input.on("drain", () => {
      if (!this.#over) this.#owner.onChangedRoom();
    });
    const last = this.#stages.at(-1) as Transform;
    last.on("data", (chunk: Uint8Array) => this.#data(chunk));
    last.on("end", () => this.#end());
    if (this.#paused) last.pause();
  }

  #data(chunk: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#owner.onChangedData(chunk);
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause : new Error("the receiver of a changed body failed", { cause }));
    }
  }

  /** Something went into the encoders. */
  #hold(): void {
    this.#holding ??= setTimeout(() => {
      this.#holding = undefined;
      for (const encoder of this.#encoders) encoder.flush();
    }, longestHeld);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#holding);
    this.#owner.onChangedEnd();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.destroy();
    this.#owner.onChangedError(error);
  }
}

function notDecoded(cause: Error): BodyContentError {
  return new BodyContentError(400, `the body is not in its content coding: ${cause.message}`, { cause });
}
