/**
 * When what is due: entities with a period each, measured from the end of one run to the start of the next, so that
 * runs of one entity never overlap. It keeps no timer: ask `nextDue`, wait, call `runDue`. `driveSchedule` does that
 * with a clock; so can any other scheduler.
 */
import type { Clock } from "../clock.ts";

export interface ScheduleOptions<E> {
  readonly clock: Clock;
  /** Must neither throw nor reject: then the entity is dropped. */
  readonly run: (entity: E) => void | Promise<void>;
  /** Each entity runs once and is dropped. Default false. */
  readonly runOnce?: boolean | undefined;
  /** Milliseconds to wait for a period of so many: where jitter comes in. Default: the period. */
  readonly delay?: ((period: number) => number) | undefined;
}

interface Entry {
  period: number;
  /** Undefined while it runs, and before the start. */
  due: number | undefined;
  /** Milliseconds until the first run, counted from the start. */
  first: number;
}

/** Entities that are due from time to time, each by its own period in milliseconds. */
export class Schedule<E> {
  readonly #options: ScheduleOptions<E>;
  readonly #entries = new Map<E, Entry>();
  readonly #listeners = new Set<() => void>();
  #started = false;

  constructor(options: ScheduleOptions<E>) {
    this.#options = options;
  }

  /** In milliseconds of the clock's `now`; undefined when nothing is due by time. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const { due } of this.#entries.values()) if (due !== undefined && (next === undefined || due < next)) next = due;
    return next;
  }

  has(entity: E): boolean {
    return this.#entries.has(entity);
  }

  /** `first`: milliseconds until its first run. Default: the period. Added already: nothing happens. */
  add(entity: E, period: number, first?: number): void {
    if (this.#entries.has(entity)) return;
    const entry: Entry = { period, due: undefined, first: first ?? this.#delay(period) };
    if (this.#started) entry.due = this.#options.clock.now() + entry.first;
    this.#entries.set(entity, entry);
    this.#tell();
  }

  /** The next run is so far from now, unless it is due earlier. */
  setPeriod(entity: E, period: number): void {
    const entry = this.#entries.get(entity);
    if (entry === undefined || entry.period === period) return;
    entry.period = period;
    entry.first = Math.min(entry.first, this.#delay(period));
    if (entry.due !== undefined) entry.due = Math.min(entry.due, this.#options.clock.now() + this.#delay(period));
    this.#tell();
  }

  remove(entity: E): void {
    if (this.#entries.delete(entity)) this.#tell();
  }

  /** Time counts from here. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const now = this.#options.clock.now();
    for (const entry of this.#entries.values()) entry.due = now + entry.first;
    this.#tell();
  }

  /** Nothing is due any more; what runs, runs to its end. */
  stop(): void {
    this.#started = false;
    for (const entry of this.#entries.values()) entry.due = undefined;
    this.#tell();
  }

  /** Runs all that is due; resolves when those runs are over. Never rejects. */
  async runDue(): Promise<void> {
    const now = this.#options.clock.now();
    const due = [...this.#entries].filter(([, entry]) => entry.due !== undefined && entry.due <= now);
    await Promise.all(due.map(([entity, entry]) => this.#run(entity, entry)));
  }

  /** `listener` is told when `nextDue` may have changed. Gives how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #run(entity: E, entry: Entry): Promise<void> {
    entry.due = undefined;
    if (this.#options.runOnce === true) this.#entries.delete(entity);
    try {
      await this.#options.run(entity);
    } catch {
      this.remove(entity);
      return;
    }
    // It may have been removed, and even added anew, meanwhile.
    if (this.#entries.get(entity) === entry && this.#started) {
      entry.due = this.#options.clock.now() + this.#delay(entry.period);
    }
    this.#tell();
  }

  #delay(period: number): number {
    return this.#options.delay?.(period) ?? period;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What `driveSchedule` needs of a schedule. */
export interface Drivable {
  readonly nextDue: number | undefined;
  runDue(): Promise<void>;
  onChange(listener: () => void): () => void;
}

/** Runs what is due when it is due, by the clock's timers. Gives how to stop. */
export function driveSchedule(schedule: Drivable, clock: Clock): () => void {
  let disarm: (() => void) | undefined;
  let armedFor: number | undefined;
  const arm = (): void => {
    const due = schedule.nextDue;
    if (due === armedFor) return;
    disarm?.();
    armedFor = due;
    disarm = due === undefined ? undefined : clock.after(Math.max(0, due - clock.now()), fire);
  };
  const fire = (): void => {
    armedFor = undefined;
    disarm = undefined;
    void schedule.runDue();
    arm();
  };
  const unsubscribe = schedule.onChange(arm);
  arm();
  return () => {
    unsubscribe();
    disarm?.();
  };
}
