/**
 * Something the wheel looks at. It keeps its own deadline: moving the deadline on is a field write, and the wheel
 * finds out when it looks. The links belong to the wheel.
 */
export interface WheelEntry {
  /** Called at the tick that was asked for, or a later one after a stall. Returns the next tick to look at it, or 0 when it is done. */
  check(tick: number): number;
  /** internal */
  wheelNext: WheelEntry | undefined;
  /** internal */
  wheelPrevious: WheelEntry | undefined;
}

const slotCount = 512;

/** The head of a slot's ring. */
class Slot implements WheelEntry {
  wheelNext: WheelEntry | undefined = this;
  wheelPrevious: WheelEntry | undefined = this;

  check(): number {
    return 0;
  }
}

export interface TimerWheelOptions {
  /** Milliseconds of a tick. Default 50. */
  readonly period?: number | undefined;
  /** Milliseconds, monotonic. Default `performance.now`; without `automatic` a clock that stands still. */
  readonly now?: (() => number) | undefined;
  /** `false`: time moves by `advance` and `catchUp` only, for tests. Default true. */
  readonly automatic?: boolean | undefined;
}

/**
 * One coarse timer for any number of entries, by the clock: a timer that comes late looks at all that is due by then. It lets
 * what is waiting to be read be read first, since that may be what an entry waits for. Ticks are counted only while there are
 * entries, and hold no process open.
 *
 * Not the wheel of `@proxy/http`, which looks at all of its connections with each of its fewer ticks, so that a deadline may be
 * brought nearer by assignment: forwardings come and go with each request, and tunnels are many and idle.
 */
export class TimerWheel {
  /** Milliseconds of a tick. */
  readonly period: number;
  /** The tick that was looked at last; starts at 1. Older than `current` while the process is held up. */
  tick = 1;
  readonly #slots: Slot[] = Array.from({ length: slotCount }, () => new Slot());
  /** Taken out of their slots, to be looked at. */
  readonly #due = new Slot();
  readonly #now: () => number;
  readonly #automatic: boolean;
  #size = 0;
  /** When tick 0 would have been. */
  #origin = 0;
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TimerWheelOptions = {}) {
    this.period = options.period ?? 50;
    this.#automatic = options.automatic ?? true;
    this.#now = options.now ?? (this.#automatic ? () => performance.now() : () => 0);
  }

  /** Entries held now. */
  get size(): number {
    return this.#size;
  }

  /** The number of ticks that is at least `milliseconds` from any moment of the present tick. */
  ticks(milliseconds: number): number {
    return Math.ceil(milliseconds / this.period) + 1;
  }

  /** The tick by the clock, which is read for it. */
  get current(): number {
    if (!this.#running) return this.tick;
    return Math.max(this.tick, Math.floor((this.#now() - this.#origin) / this.period));
  }

  /** The first tick that is at least `milliseconds` from now by the clock, which is read for it. */
  after(milliseconds: number): number {
    if (!this.#running) return this.tick + this.ticks(milliseconds);
    return Math.max(this.tick + 1, Math.ceil((this.#now() - this.#origin + milliseconds) / this.period));
  }

  /** Adds an entry to be looked at when `tick` comes. */
  add(entry: WheelEntry, tick: number): void {
    this.#place(entry, tick);
    this.#size++;
    if (!this.#running) this.#start();
  }

  /** Takes an entry out; one that is not in does nothing. */
  remove(entry: WheelEntry): void {
    if (entry.wheelNext === undefined) return;
    unlink(entry);
    this.#size--;
  }

  /** Has an entry that is in the wheel looked at when `tick` comes, and not when it said before. */
  move(entry: WheelEntry, tick: number): void {
    if (entry.wheelNext === undefined) return;
    unlink(entry);
    this.#place(entry, tick);
  }

  /** Moves time on by `count` ticks, and looks with each at what is due. */
  advance(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.#origin -= this.period;
      this.#collect(this.tick + 1);
      this.#look();
    }
  }

  /** Reads the clock and looks at all that is due. */
  catchUp(): void {
    this.#collect(this.current);
    this.#look();
  }

  #start(): void {
    this.#running = true;
    this.#origin = this.#now() - this.tick * this.period;
    if (!this.#automatic) return;
    this.#timer = setInterval(this.#onTimer, this.period);
    this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    const before = this.tick;
    this.#collect(this.current);
    if (this.tick - before > 1) setImmediate(this.#look).unref();
    else this.#look();
  };

  /** Makes `tick` the present one. Whoever is due is taken out first: what is placed anew is placed by the new time. */
  #collect(tick: number): void {
    const last = Math.min(tick, this.tick + slotCount);
    for (let i = this.tick + 1; i <= last; i++) append(this.#slots[i % slotCount] as Slot, this.#due);
    if (tick > this.tick) this.tick = tick;
  }

  readonly #look = (): void => {
    const { tick } = this;
    const due = this.#due;
    // An entry may remove itself and others when told, so each is taken from the front.
    let entry = due.wheelNext as WheelEntry;
    while (entry !== due) {
      unlink(entry);
      const next = entry.check(tick);
      if (next > 0) this.#place(entry, next);
      else this.#size--;
      entry = due.wheelNext as WheelEntry;
    }
    if (this.#size > 0) return;
    this.#running = false;
    clearInterval(this.#timer);
  };

  #place(entry: WheelEntry, tick: number): void {
    const distance = Math.min(tick - this.tick, slotCount - 1);
    const slot = this.#slots[(this.tick + Math.max(distance, 1)) % slotCount] as Slot;
    const previous = slot.wheelPrevious as WheelEntry;
    entry.wheelPrevious = previous;
    entry.wheelNext = slot;
    previous.wheelNext = entry;
    slot.wheelPrevious = entry;
  }
}

/** Moves all of a ring to the end of another. */
function append(from: Slot, to: Slot): void {
  const first = from.wheelNext as WheelEntry;
  if (first === from) return;
  const last = from.wheelPrevious as WheelEntry;
  const previous = to.wheelPrevious as WheelEntry;
  previous.wheelNext = first;
  first.wheelPrevious = previous;
  last.wheelNext = to;
  to.wheelPrevious = last;
  from.wheelNext = from;
  from.wheelPrevious = from;
}

function unlink(entry: WheelEntry): void {
  const next = entry.wheelNext as WheelEntry;
  const previous = entry.wheelPrevious as WheelEntry;
  previous.wheelNext = next;
  next.wheelPrevious = previous;
  entry.wheelNext = undefined;
  entry.wheelPrevious = undefined;
}

/** The wheel that all forwarding of the process shares. */
export const sharedTimers = new TimerWheel();
