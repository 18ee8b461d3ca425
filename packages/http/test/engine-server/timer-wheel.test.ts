import { describe, expect, test } from "vitest";
import { type Timed, TimerWheel } from "../../src/engine/timer-wheel.ts";

class Entry implements Timed {
  deadline = Infinity;
  wheelIndex = -1;
  told: number[] = [];
  readonly #wheel: TimerWheel;
  readonly #then: (entry: Entry) => void;

  constructor(wheel: TimerWheel, then: (entry: Entry) => void = (entry) => (entry.deadline = Infinity)) {
    this.#wheel = wheel;
    this.#then = then;
    wheel.add(this);
  }

  onDeadline(time: number): void {
    this.told.push(time);
    this.#then(this);
  }

  leave(): void {
    this.#wheel.remove(this);
  }
}

describe("a timer wheel", () => {
  test("tells once of a deadline that has passed, and never early", () => {
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, interval: 250 });
    const entry = new Entry(wheel);
    entry.deadline = wheel.after(1000);
    for (now = 0; now <= 2000; now += 250) wheel.tick();
    expect(entry.told).toEqual([1250]);
    entry.leave();
  });

  test("loses nobody when entries leave while it looks", () => {
    let now = 0;
    const wheel = new TimerWheel({ now: () => now });
    const entries = Array.from({ length: 20 }, (_, i) => new Entry(wheel, (entry) => (i % 3 === 0 ? entry.leave() : (entry.deadline = Infinity))));
    for (const entry of entries) entry.deadline = wheel.after(10);
    now = 1000;
    wheel.advance();
    expect(entries.map((entry) => entry.told.length)).toEqual(entries.map(() => 1));
    expect(wheel.size).toBe(entries.filter((_, i) => i % 3 !== 0).length);
    for (const entry of entries) entry.leave();
    expect(wheel.size).toBe(0);
  });

  test("lets waiting input be read first after the process was held up", () => {
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, interval: 250 });
    const entry = new Entry(wheel);
    entry.deadline = wheel.after(1000);
    now = 60_000;
    wheel.tick();
    expect(entry.told).toEqual([]);
    wheel.tick();
    expect(entry.told).toEqual([60_000]);
    entry.leave();
  });

  test("looks all the same when every tick is late", () => {
    let now = 0;
    const wheel = new TimerWheel({ now: () => now, interval: 250 });
    const entry = new Entry(wheel);
    entry.deadline = wheel.after(1000);
    for (now = 2000; now <= 6000; now += 2000) wheel.tick();
    expect(entry.told).toEqual([4000]);
    entry.leave();
  });
});
