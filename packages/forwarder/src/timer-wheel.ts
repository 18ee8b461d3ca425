/**
 * Something the wheel looks at. It keeps its own deadline: moving the deadline on is a field write, and the wheel
 * finds out when it looks. The links belong to the wheel.
 */
export interface WheelEntry {
  /** Called at the tick that was asked for. Returns the next tick to look at it, or 0 when it is done. */
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

/**
 * One coarse timer for any number of entries. Time is counted in ticks; a process that is held up counts fewer,
 * so that a stall never expires what was only waiting for the process. The interval runs while there are entries
 * and does not keep the process alive.
 */
export class TimerWheel {
  /** Milliseconds of a tick. */
  readonly period: number;
  /** The tick now; starts at 1. */
  tick = 1;
  readonly #slots: Slot[] = Array.from({ length: slotCount }, () => new Slot());
  #size = 0;
  #interval: NodeJS.Timeout | undefined;
  readonly #automatic: boolean;

  /** `automatic: false`: time moves by `advance` only, for tests. */
  constructor(options: { readonly period?: number | undefined; readonly automatic?: boolean | undefined } = {}) {
    this.period = options.period ?? 50;
    this.#automatic = options.automatic ?? true;
  }

  /** Entries held now. */
  get size(): number {
    return this.#size;
  }

  /** The number of ticks that is at least `milliseconds` from any moment of the present tick. */
  ticks(milliseconds: number): number {
    return Math.ceil(milliseconds / this.period) + 1;
  }

  /** Adds an entry to be looked at when `tick` comes. */
  add(entry: WheelEntry, tick: number): void {
    this.#place(entry, tick);
    this.#size++;
    if (this.#interval === undefined) this.#start();
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

  /** Moves time on by `count` ticks. */
  advance(count = 1): void {
    for (let i = 0; i < count; i++) this.#turn();
  }

  #start(): void {
    if (!this.#automatic) return;
    this.#interval = setInterval(() => this.#turn(), this.period);
    this.#interval.unref();
  }

  #turn(): void {
    const tick = ++this.tick;
    this.#look(this.#slots[tick % slotCount] as Slot, tick);
    if (this.#size === 0 && this.#interval !== undefined) {
      clearInterval(this.#interval);
      this.#interval = undefined;
    }
  }

  #look(slot: Slot, tick: number): void {
    // An entry may remove itself and others when told, so each is taken from the front; none is put back into
    // this very slot, because no deadline is placed a whole turn ahead.
    let entry = slot.wheelNext as WheelEntry;
    while (entry !== slot) {
      unlink(entry);
      const next = entry.check(tick);
      if (next > 0) this.#place(entry, next);
      else this.#size--;
      entry = slot.wheelNext as WheelEntry;
    }
  }

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
