import type { Timed, TimerWheel } from "../timer-wheel.ts";

/** A timeout that is on the wheel only while it runs. */
export class Countdown implements Timed {
  deadline = Infinity;
  wheelIndex = -1;
  readonly #wheel: TimerWheel;
  readonly #over: () => void;

  /** `over` is called when the time is up, and must not throw. */
  constructor(wheel: TimerWheel, over: () => void) {
    this.#wheel = wheel;
    this.#over = over;
  }

  /** In milliseconds from now. */
  start(timeout: number): void {
    this.#wheel.add(this);
    this.deadline = this.#wheel.after(timeout);
  }

  stop(): void {
    this.deadline = Infinity;
    this.#wheel.remove(this);
  }

  onDeadline(): void {
    this.stop();
    this.#over();
  }
}
