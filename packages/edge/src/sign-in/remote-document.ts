/**
 * Something that another party publishes, such as its metadata: asked for when it is first needed, again when it gets old, and not each time while the other
 * party is down. What was read once stays good while it cannot be read again.
 */
import type { Clock } from "@proxy/cluster";
import { ProviderUnavailableError } from "./sign-in-errors.ts";

export interface RemoteDocumentOptions<T> {
  /** Rejects for whatever reason. */
  load(): Promise<T>;
  readonly clock: Pick<Clock, "now">;
  /** Told of each failure, with whether something older is in use. */
  onFailure(error: unknown, hasOlder: boolean): void;
  /** Milliseconds after which it is read again. Default 1 hour. */
  readonly refreshInterval?: number | undefined;
}

const firstPause = 1000;
const longestPause = 30_000;

export class RemoteDocument<T> {
  readonly #options: RemoteDocumentOptions<T>;
  readonly #refreshInterval: number;
  #value: { readonly content: T; readonly at: number } | undefined;
  #loading: Promise<T> | undefined;
  #failures = 0;
  #notBefore = 0;

  constructor(options: RemoteDocumentOptions<T>) {
    this.#options = options;
    this.#refreshInterval = options.refreshInterval ?? 3_600_000;
  }

  /** Rejects with `ProviderUnavailableError` when nothing was ever read. */
  async get(): Promise<T> {
    const now = this.#options.clock.now();
    const held = this.#value;
    if (held !== undefined) {
      if (now - held.at >= this.#refreshInterval && now >= this.#notBefore) this.#load().catch(() => {});
      return held.content;
    }
    if (this.#loading === undefined && now < this.#notBefore) {
      throw new ProviderUnavailableError("the other party did not answer a moment ago", { retryAfter: (this.#notBefore - now) / 1000 });
    }
    try {
      return await this.#load();
    } catch (error) {
      throw new ProviderUnavailableError("the other party cannot be asked", { cause: error, retryAfter: (this.#notBefore - this.#options.clock.now()) / 1000 });
    }
  }

  /** What is held where it is younger than `age` milliseconds or cannot be read again now; otherwise as it is read anew. */
  async newer(age: number): Promise<T> {
    const held = this.#value;
    const now = this.#options.clock.now();
    if (held === undefined || now - held.at < age || now < this.#notBefore) return this.get();
    return this.#load().catch(() => held.content);
  }

  #load(): Promise<T> {
    return (this.#loading ??= this.#loadOnce().finally(() => (this.#loading = undefined)));
  }

  async #loadOnce(): Promise<T> {
    const { clock, load, onFailure } = this.#options;
    try {
      const content = await load();
      this.#value = { content, at: clock.now() };
      this.#failures = 0;
      this.#notBefore = 0;
      return content;
    } catch (error) {
      this.#notBefore = clock.now() + Math.min(firstPause * 2 ** this.#failures++, longestPause);
      onFailure(error, this.#value !== undefined);
      throw error;
    }
  }
}
