import type { BodySink, BodySource, HeaderList } from "../../src/index.ts";

/** A promise with its two ends outside, for steps of a test that wait on each other. */
export interface Signal<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

export function signal<T = void>(): Signal<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

export interface CollectedBody {
  readonly bytes: Buffer;
  readonly trailers: HeaderList | undefined;
}

/** Reads a body or a tunnel to its end, and fails the test on a call out of order. */
export class BodyCollector implements BodySink {
  readonly chunks: Buffer[] = [];
  readonly #done = signal<CollectedBody>();
  readonly #first = signal<Buffer>();
  #finals = 0;
  size = 0;

  /** Resolves at the end; rejects with the error of `onError`. */
  get done(): Promise<CollectedBody> {
    return this.#done.promise;
  }

  /** Resolves with the first chunk; rejects when the body ends without one. */
  get first(): Promise<Buffer> {
    return this.#first.promise;
  }

  /** How often `onEnd` or `onError` was called: one at most. */
  get finals(): number {
    return this.#finals;
  }

  onData(chunk: Uint8Array): boolean | void {
    if (this.#finals > 0) throw new Error("data after the end");
    if (chunk.length === 0) throw new Error("empty chunk");
    const copy = Buffer.from(chunk);
    this.chunks.push(copy);
    this.size += copy.length;
    this.#first.resolve(copy);
    return true;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#finals++;
    if (trailers?.size === 0) throw new Error("empty trailers");
    this.#first.reject(new Error("ended without data"));
    this.#done.resolve({ bytes: Buffer.concat(this.chunks), trailers });
  }

  onError(error: Error): void {
    this.#finals++;
    this.#first.reject(error);
    this.#done.reject(error);
  }
}

/** Reads the whole of a body; undefined gives no bytes. */
export function collect(body: BodySource | undefined): Promise<CollectedBody> {
  if (body === undefined) return Promise.resolve({ bytes: Buffer.alloc(0), trailers: undefined });
  const collector = new BodyCollector();
  body.read(collector);
  return collector.done;
}

/** A body in memory, delivered with respect for `pause`. */
export class MemoryBody implements BodySource {
  readonly length: number | undefined;
  started = false;
  cancelled = false;
  /** Chunks handed over so far. */
  delivered = 0;
  readonly #chunks: readonly Uint8Array[];
  readonly #trailers: HeaderList | undefined;
  #sink: BodySink | undefined;
  #paused = false;
  #scheduled = false;
  readonly #held: boolean;
  #failure: Error | undefined;

  /** `held` keeps the end back until `finish` or `fail` is called. */
  constructor(
    chunks: readonly (Uint8Array | string)[],
    options: { readonly length?: number | undefined; readonly trailers?: HeaderList | undefined; readonly held?: boolean | undefined } = {},
  ) {
    this.#chunks = chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk));
    this.length = options.length;
    this.#trailers = options.trailers;
    this.#held = options.held ?? false;
    this.#open = !this.#held;
  }

  #open: boolean;

  read(sink: BodySink): void {
    if (this.started) throw new Error("read twice");
    this.started = true;
    this.#sink = sink;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  cancel(): void {
    this.started = true;
    this.cancelled = true;
    this.#sink = undefined;
  }

  /** Lets a held body end. */
  finish(): void {
    this.#open = true;
    this.#schedule();
  }

  /** Breaks the body off after what was given. */
  fail(error: Error): void {
    this.#failure = error;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#paused) return;
    const chunk = this.#chunks[this.delivered];
    if (chunk !== undefined) {
      this.delivered++;
      sink.onData(chunk);
      this.#schedule();
      return;
    }
    if (this.#failure !== undefined) {
      this.#sink = undefined;
      sink.onError(this.#failure);
    } else if (this.#open) {
      this.#sink = undefined;
      sink.onEnd(this.#trailers);
    }
  }
}

/** Waits until `condition` holds, looking once per turn of the event loop; the test's own timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setTimeout(resolve, 1));
}

/** Waits until a value has stayed what it is for a hundred turns of the event loop, in which all sides of a test run. */
export async function settled(value: () => number): Promise<void> {
  let last = Number.NaN;
  for (let same = 0; same < 100; same++) {
    await turns(1);
    const now = value();
    if (now !== last) same = 0;
    last = now;
  }
}

/** Lets `count` turns of the event loop pass. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
