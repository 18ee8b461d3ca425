/** A store as several gateways would share one: in another process, which answers later, carries text and nothing else, and may be away. */
import type { SignInStore } from "../../../src/index.ts";

export class SharedStore implements SignInStore {
  isAway = false;
  /** Questions and orders so far. */
  readonly asked: string[] = [];
  readonly #taken = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async take(use: string, key: string, until: number): Promise<boolean> {
    return this.#later("take", [use, key, until], () => {
      const name = `${use}/${key}`;
      if ((this.#taken.get(name) ?? 0) > this.#now()) return false;
      this.#taken.set(name, until);
      return true;
    });
  }

  async end(use: string, key: string, begunUntil: number, until: number): Promise<void> {
    return this.#later("end", [use, key, begunUntil, until], () => {
      const name = `${use}/${key}`;
      this.#ended.set(name, Math.max(begunUntil, this.#ended.get(name) ?? begunUntil));
    });
  }

  async endedUntil(use: string, keys: readonly string[]): Promise<number | undefined> {
    return this.#later("endedUntil", [use, ...keys], () => {
      const found = keys.flatMap((key) => this.#ended.get(`${use}/${key}`) ?? []);
      return found.length === 0 ? undefined : Math.max(...found);
    });
  }

  async #later<T>(what: string, sent: readonly unknown[], run: () => T): Promise<T> {
    this.asked.push(`${what} ${JSON.stringify(sent)}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isAway) throw new Error("connect ECONNREFUSED");
    return run();
  }
}
