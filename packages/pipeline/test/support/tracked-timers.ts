import { vi } from "vitest";

const after = globalThis.setTimeout;

/** Every timer that is started while this is in place, held with where it was started until it fires or is cleared. */
export class TrackedTimers {
  readonly #running = new Map<unknown, string>();
  readonly #spies: readonly { mockRestore(): void }[];

  constructor() {
    const running = this.#running;
    const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
    const started = <T>(timer: T): T => {
      running.set(timer, new Error("started").stack ?? "");
      return timer;
    };
    const once = (run: (...args: unknown[]) => void, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
      const timer = setTimeout(() => {
        running.delete(timer);
        run(...args);
      }, delay);
      return started(timer);
    };
    const stop = (clear: (timer: never) => void) => (timer: unknown): void => {
      running.delete(timer);
      clear(timer as never);
    };
    this.#spies = [
      vi.spyOn(globalThis, "setTimeout").mockImplementation(once as typeof setTimeout),
      vi.spyOn(globalThis, "setInterval").mockImplementation(((run: () => void, delay?: number) => started(setInterval(run, delay))) as typeof setInterval),
      vi.spyOn(globalThis, "clearTimeout").mockImplementation(stop(clearTimeout)),
      vi.spyOn(globalThis, "clearInterval").mockImplementation(stop(clearInterval)),
    ];
  }

  /** Resolves to where the timers were started that still run after `patience` milliseconds; to none as soon as none runs. */
  async left(patience: number): Promise<string[]> {
    const deadline = performance.now() + patience;
    while (this.#running.size > 0 && performance.now() < deadline) await new Promise((resolve) => void after(resolve, 20));
    return [...this.#running.values()];
  }

  restore(): void {
    for (const spy of this.#spies) spy.mockRestore();
  }
}
