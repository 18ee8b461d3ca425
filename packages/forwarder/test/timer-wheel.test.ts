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
