/** Something with a deadline: a connection. Registered once for its life; a deadline is set by assignment. */
export interface Timed {
  /** In the time of the wheel: set as `wheel.time + timeout`. `Infinity`: none. */
  deadline: number;
  /** Called from a tick when `deadline` has passed; sets the next deadline or removes itself. Must not throw. */
  onDeadline(time: number): void;
  /** The wheel's own: where it keeps this one. -1 while it is not registered. */
  wheelIndex: number;
}

export interface TimerWheelOptions {
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds between ticks. Default 250. */
  readonly interval?: number | undefined;
}

/**
 * The one timer behind all timeouts of a server or a pool. Every tick looks at all that is registered: a few
 * nanoseconds each, nothing per request but an assignment, and no clock is read in between. A deadline passes
 * at most two ticks late and never early (unless the clock is behind by more than a tick). The timer holds no
 * process open and runs only while something is registered.
 */
export class TimerWheel {
  /** Milliseconds as of the last tick. */
  time: number;
  readonly #now: () => number;
  readonly #interval: number;
  readonly #entries: Timed[] = [];
  #late = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TimerWheelOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#interval = options.interval ?? 250;
    this.time = this.#now();
  }

  get size(): number {
    return this.#entries.length;
  }

  add(entry: Timed): void {
    if (entry.wheelIndex >= 0) return;
    if (this.#timer === undefined) this.#start();
    entry.wheelIndex = this.#entries.length;
    this.#entries.push(entry);
  }

  remove(entry: Timed): void {
    const index = entry.wheelIndex;
    if (index < 0) return;
    entry.wheelIndex = -1;
    const last = this.#entries.pop() as Timed;
    if (last !== entry) {
      this.#entries[index] = last;
      last.wheelIndex = index;
    }
    if (this.#entries.length === 0) this.#stop();
  }

  /** The deadline `timeout` milliseconds from now, rounded up by a tick since `time` may be that old. */
  after(timeout: number): number {
    return this.time + timeout + this.#interval;
  }

  /** Reads the clock and tells all whose deadline has passed. Runs by itself; tests may call it. */
  tick(): void {
    const before = this.time;
    this.time = this.#now();
    // A process that was stopped or busy has input waiting that would have kept its deadlines: read it first. Once:
    // under a load that makes every tick late, deadlines must hold all the more.
    this.#late = !this.#late && this.time - before > this.#interval * 4;
    if (!this.#late) this.#sweep();
  }

  /** As `tick`, and looks at the deadlines however far the clock has moved. */
  advance(): void {
    this.time = this.#now();
    this.#sweep();
  }

  #sweep(): void {
    const time = this.time;
    // From the end: an entry that removes itself is replaced by one that was looked at already.
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry !== undefined && entry.deadline <= time) entry.onDeadline(time);
    }
  }

  #start(): void {
    this.time = this.#now();
    this.#timer = setInterval(() => this.tick(), this.#interval);
    this.#timer.unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
