import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { TimerWheel } from "../src/index.ts";
import type { WheelEntry } from "../src/timer-wheel.ts";

class Entry implements WheelEntry {
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  readonly looks: number[] = [];
  readonly #next: (tick: number) => number;

  constructor(next: (tick: number) => number = () => 0) {
    this.#next = next;
  }

  check(tick: number): number {
    this.looks.push(tick);
    return this.#next(tick);
  }
}

test("looks at entries at their tick, however far, and never early", () => {
  assert(
    property(array(integer({ min: 1, max: 3000 }), { maxLength: 30 }), (ticks) => {
      const wheel = new TimerWheel({ automatic: false });
      const entries = ticks.map((due) => {
        const entry = new Entry((tick) => (tick < due + 1 ? due + 1 : 0));
        wheel.add(entry, due + 1);
        return entry;
      });
      wheel.advance(3001);
      expect(entries.map(({ looks }) => looks.at(-1))).toEqual(ticks.map((due) => due + 1));
      expect(wheel.size).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test("an entry may take itself and its neighbours out while it is told", () => {
  const wheel = new TimerWheel({ automatic: false });
  const entries: Entry[] = [];
  for (let i = 0; i < 4; i++) {
    entries.push(
      new Entry(() => {
        for (const entry of entries) wheel.remove(entry);
        return 0;
      }),
    );
  }
  for (const entry of entries) wheel.add(entry, 3);
  wheel.advance(5);
  expect(entries.map(({ looks }) => looks.length)).toEqual([1, 0, 0, 0]);
  expect(wheel.size).toBe(0);
});

test("an entry that is moved is looked at then, and once", () => {
  const wheel = new TimerWheel({ automatic: false });
  const entry = new Entry();
  wheel.add(entry, 100);
  wheel.move(entry, 3);
  wheel.advance(200);
  expect(entry.looks).toEqual([3]);
  wheel.move(entry, 300);
  expect(wheel.size).toBe(0);
});

test("a span of time is at least that long from any moment of a tick", () => {
  const wheel = new TimerWheel({ period: 50, automatic: false });
  expect([wheel.ticks(0), wheel.ticks(1), wheel.ticks(50), wheel.ticks(51)]).toEqual([1, 2, 2, 3]);
});

test("a deadline is kept by the clock when ticks are missed", () => {
  let now = 1000;
  const wheel = new TimerWheel({ period: 50, automatic: false, now: () => now });
  const entries = [240, 260, 900, 30_000].map((timeout) => {
    const due = wheel.after(timeout);
    const entry = new Entry((tick) => (tick < due ? due : 0));
    wheel.add(entry, due);
    return entry;
  });
  const done = (): number => entries.length - wheel.size;
  now += 200;
  wheel.catchUp();
  expect(done()).toBe(0);
  now += 500;
  wheel.catchUp();
  expect(done()).toBe(2);
  now += 40_000;
  wheel.catchUp();
  expect([done(), wheel.tick]).toEqual([4, 815]);
});

test("what is placed while a late tick is looked at counts from the clock, and is looked at once", () => {
  let now = 0;
  const wheel = new TimerWheel({ period: 50, automatic: false, now: () => now });
  const first = new Entry((tick) => (first.looks.length === 1 ? tick + 300 : 0));
  const other = new Entry(() => {
    wheel.add(added, wheel.tick + 2);
    return 0;
  });
  const added = new Entry();
  wheel.add(first, 3);
  wheel.add(other, 4);
  now = 50 * 400;
  wheel.catchUp();
  const late = first.looks[0] as number;
  expect([late, other.looks, added.looks]).toEqual([wheel.tick, [late], []]);
  now += 100;
  wheel.catchUp();
  expect([first.looks, added.looks]).toEqual([[late], [late + 2]]);
  now += 50 * 1000;
  wheel.catchUp();
  expect([first.looks.length, wheel.size]).toEqual([2, 0]);
});

test("a span that begins while the process is held up begins then", () => {
  let now = 0;
  const wheel = new TimerWheel({ period: 50, automatic: false, now: () => now });
  wheel.add(new Entry((tick) => tick + 1), 2);
  now = 1000;
  const due = wheel.after(100);
  expect(due - wheel.current).toBe(2);
  wheel.catchUp();
  expect(wheel.tick).toBeLessThan(due);
  now = 1100;
  wheel.catchUp();
  expect(wheel.tick).toBe(due);
});

test("a timer of its own goes by the clock", async () => {
  let now = 0;
  const wheel = new TimerWheel({ period: 5, now: () => now });
  const told = new Promise<number>((resolve) => {
    wheel.add(new Entry((tick) => (resolve(tick), 0)), wheel.after(60_000));
    now = 70_000;
  });
  // The timer of the wheel holds no process open.
  const hold = setInterval(() => undefined, 1000);
  expect(await told).toBeGreaterThan(60_000 / 5);
  clearInterval(hold);
});

test("no time passes while there are no entries", () => {
  let now = 0;
  const wheel = new TimerWheel({ period: 50, automatic: false, now: () => now });
  wheel.add(new Entry(), 2);
  now = 50;
  wheel.catchUp();
  expect([wheel.size, wheel.tick]).toEqual([0, 2]);
  now = 100_000;
  wheel.catchUp();
  expect([wheel.tick, wheel.current]).toEqual([2, 2]);
});
