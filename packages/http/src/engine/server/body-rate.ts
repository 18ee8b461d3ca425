import type { MinDataRate } from "../../server-limits.ts";
import type { TimerWheel } from "../timer-wheel.ts";

/** How fast the bodies of a connection come, against the least that is allowed. The time in which a reader has paused does not count. */
export class BodyRate {
  readonly #minimum: MinDataRate | undefined;
  readonly #wheel: TimerWheel;
  #since = 0;
  #pausedSince = -1;

  constructor(minimum: MinDataRate | undefined, wheel: TimerWheel) {
    this.#minimum = minimum;
    this.#wheel = wheel;
  }

  /** Milliseconds before the rate is looked at; undefined: never. */
  get gracePeriod(): number | undefined {
    return this.#minimum?.gracePeriod;
  }

  start(): void {
    this.#since = this.#wheel.time;
  }

  pause(): void {
    this.#pausedSince = this.#wheel.time;
  }

  /** False when it was not paused. */
  resume(): boolean {
    if (this.#pausedSince < 0) return false;
    this.#since += this.#wheel.time - this.#pausedSince;
    this.#pausedSince = -1;
    return true;
  }

  /** Whether `received` bytes until `time` are too few. */
  tooSlow(received: number, time: number): boolean {
    return this.#minimum !== undefined && received * 1000 < this.#minimum.bytesPerSecond * (time - this.#since);
  }
}
