import { until } from "./recorders.ts";

/** In milliseconds. A clock that leaps is taken for a process that was stopped. */
const step = 19;

/** A server's clock, which stands still until the test moves it on. It knows when the server has looked at it. */
export class ManualClock {
  #time = 0;
  #looks = 0;

  /** For the server. */
  readonly now = (): number => {
    this.#looks++;
    return this.#time;
  };

  /** Moves it on at once. */
  readonly advance = (milliseconds: number): void => {
    this.#time += milliseconds;
  };

  /**
   * Waits until the server has looked at its deadlines, which it does while it has connections, or until `isOver`. The first look
   * after a leap lets what waits to be read be read.
   */
  async looked(isOver: () => boolean = () => false, looks = 3): Promise<void> {
    const enough = this.#looks + looks;
    await until(() => this.#looks >= enough || isOver());
  }

  /** Moves it on in small steps, each of which the server sees. */
  async pass(milliseconds: number, isOver: () => boolean = () => false): Promise<void> {
    for (let passed = 0; passed < milliseconds && !isOver(); passed += step) {
      this.advance(step);
      await this.looked(isOver, 1);
    }
  }

  /** The same, until something has come. */
  async passUntil<T>(something: Promise<T>): Promise<T> {
    let isOver = false;
    const settle = (): void => void (isOver = true);
    something.then(settle, settle);
    await this.pass(Infinity, () => isOver);
    return something;
  }
}
