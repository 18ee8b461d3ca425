import type { Timers } from "../src/index.ts";

/** Timers that fire only when the test says so. */
export class ManualTimers implements Timers {
  now = 0;
  readonly #waiting = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #next = 0;

  get pending(): number {
    return this.#waiting.size;
  }

  setTimeout(callback: () => void, milliseconds: number): number {
    this.#next += 1;
    this.#waiting.set(this.#next, { at: this.now + milliseconds, callback });
    return this.#next;
  }

  clearTimeout(handle: unknown): void {
    this.#waiting.delete(handle as number);
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    for (const [handle, { at, callback }] of this.#waiting) {
      if (at > this.now) continue;
      this.#waiting.delete(handle);
      callback();
    }
  }
}
