/**
 * Appends lines to a file or to standard error in batches: one write at a time, what comes meanwhile waits in
 * memory up to a bound, and what exceeds the bound is dropped and counted. A slow disk never slows a request.
 */
import { close, open, write } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const closeFile = promisify(close);

export interface LineWriterOptions {
  /** Undefined: standard error. */
  readonly file: string | undefined;
  /** Milliseconds that a line may wait for others. Default 200. */
  readonly delay?: number | undefined;
  /** Bytes that may wait; beyond them lines are dropped. Default 8 MiB. */
  readonly maxPending?: number | undefined;
  /** Told of a failed write and of dropped lines. Must not throw. */
  readonly onFault: (message: string) => void;
}

const writeAtOnceFrom = 65_536;

export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #delay: number;
  readonly #maxPending: number;
  #descriptor: number;
  #pending = "";
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #reopen = false;
  #closed = false;

  private constructor(descriptor: number, options: LineWriterOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
    this.#delay = options.delay ?? 200;
    this.#maxPending = options.maxPending ?? 8 * 1024 * 1024;
  }

  /** Rejects when the file cannot be opened for appending. */
  static async open(options: LineWriterOptions): Promise<LineWriter> {
    return new LineWriter(await descriptorFor(options.file), options);
  }

  /** `line` ends with its line break and is ASCII: its length is its size. */
  add(line: string): void {
    if (this.#closed) return;
    if (this.#pending.length + line.length > this.#maxPending) {
      this.#dropped += 1;
      return;
    }
    this.#pending += line;
    if (this.#pending.length >= writeAtOnceFrom) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), this.#delay).unref();
  }

  /** Opens the file anew before the next write, for a log that was moved away. */
  reopen(): void {
    this.#reopen = true;
    this.#start();
  }

  /** Writes what is held and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing !== undefined || this.#pending !== "") {
      this.#start();
      await this.#writing;
    }
    if (this.#options.file !== undefined) await closeFile(this.#descriptor).catch(() => undefined);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = undefined;
    });
  }

  async #flush(): Promise<void> {
    do {
      if (this.#reopen) await this.#openAnew();
      const text = this.#pending;
      this.#pending = "";
      const failure = await writeWhole(this.#descriptor, Buffer.from(text, "latin1"));
      if (failure !== undefined) this.#options.onFault(`the access log could not be written: ${failure.message}`);
      if (this.#dropped > 0) {
        this.#options.onFault(`${this.#dropped} lines of the access log were dropped, the file is too slow`);
        this.#dropped = 0;
      }
    } while (this.#pending.length >= writeAtOnceFrom || this.#reopen);
    if (this.#pending !== "" && !this.#closed) this.#timer ??= setTimeout(() => this.#start(), this.#delay).unref();
  }

  async #openAnew(): Promise<void> {
    this.#reopen = false;
    const { file } = this.#options;
    if (file === undefined) return;
    try {
      const next = await descriptorFor(file);
      const previous = this.#descriptor;
      this.#descriptor = next;
      await closeFile(previous);
    } catch (error) {
      this.#options.onFault(`the access log could not be opened again: ${(error as Error).message}`);
    }
  }
}

async function descriptorFor(file: string | undefined): Promise<number> {
  return file === undefined ? 2 : openFile(file, "a", 0o640);
}

/** Resolves with the error of the write that failed, if one did. */
function writeWhole(descriptor: number, bytes: Buffer): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let offset = 0;
    const next = (): void => {
      if (offset >= bytes.length) return resolve(undefined);
      write(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
        if (error !== null && error.code !== "EAGAIN") return resolve(error);
        offset += error === null ? written : 0;
        if (error === null) next();
        else setTimeout(next, 10);
      });
    };
    next();
  });
}
