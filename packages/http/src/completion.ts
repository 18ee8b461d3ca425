/** Told when a `Completion` is complete. Must not throw. */
export interface CompletionListener {
  completed(): void;
}

/**
 * The end of something that always ends and never fails: a promise that is made only when somebody asks for it, since
 * promises are a good part of what a small request costs. One listener is told without any. A handler that returns one is
 * not watched for a rejection.
 */
export class Completion implements Promise<void> {
  #complete = false;
  #listener: CompletionListener | undefined = undefined;
  #promised: PromiseWithResolvers<void> | undefined = undefined;

  get [Symbol.toStringTag](): string {
    return "Completion";
  }

  /** Tells all who wait; the listener before this returns. */
  complete(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#promised?.resolve();
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.completed();
  }

  /** Tells `listener`, perhaps at once. There is one: a second takes the place of the first. */
  tell(listener: CompletionListener): void {
    if (this.#complete) listener.completed();
    else this.#listener = listener;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it stands in for a promise
  then<A = void, B = never>(
    fulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<void | B> {
    return this.#promise().catch(rejected);
  }

  finally(settled?: (() => void) | null): Promise<void> {
    return this.#promise().finally(settled);
  }

  #promise(): Promise<void> {
    if (this.#promised === undefined) {
      this.#promised = Promise.withResolvers<void>();
      if (this.#complete) this.#promised.resolve();
    }
    return this.#promised.promise;
  }
}
