import { describe, expect, it } from "vitest";
import { memorySignInStore } from "../../../src/index.ts";
import { SetClock } from "../../session/sessions.ts";
import { SharedStore } from "./shared-store.ts";
import { describeSignInStore } from "./store-contract.ts";

describeSignInStore("the store in memory", (clock) => {
  const store = memorySignInStore({ clock });
  return [store, store];
});
describeSignInStore("the store in memory, when it is small", (clock) => {
  const store = memorySignInStore({ clock, maxEntries: 600 });
  return [store, store];
});
describeSignInStore("a store that gateways share", (clock) => {
  const store = new SharedStore(clock.date);
  return [store, store];
});

describe("a store in memory that is full", () => {
  it("takes nothing that was begun before what it forgot was over, and all that comes later", () => {
    const clock = new SetClock();
    const store = memorySignInStore({ clock, maxEntries: 3 });
    const minute = 60_000;
    const begun: number[] = [];
    for (let count = 0; count < 4; count++) {
      begun.push(clock.time);
      expect(store.take("state", `used ${count}`, clock.time + 15 * minute)).toBe(true);
      clock.pass(minute);
    }
    // The first is forgotten: whether it was used nobody knows any more, nor of those that were begun with it or before.
    expect([0, 1, 2, 3].map((index) => store.take("state", `used ${index}`, (begun[index] ?? 0) + 15 * minute))).toEqual([false, false, false, false]);
    expect(store.take("state", "begun before", (begun[0] ?? 0) - 1 + 15 * minute)).toBe(false);
    expect(store.take("state", "begun later", (begun[0] ?? 0) + 1 + 15 * minute)).toBe(true);
    expect(store.take("another", "begun before", (begun[0] ?? 0) + 15 * minute)).toBe(true);
  });

  it("takes sessions for ended that began before one that it forgot, and no others", () => {
    const clock = new SetClock();
    const store = memorySignInStore({ clock, maxEntries: 2 });
    const { time } = clock;
    for (const [index, key] of ["a", "b", "c"].entries()) void store.end("ended", key, time + index, time + 1000);
    expect([store.endedUntil("ended", ["a"]), store.endedUntil("ended", ["b"]), store.endedUntil("ended", ["c"]), store.endedUntil("ended", ["d"])]).toEqual([time, time + 1, time + 2, time]);
  });

  it("never lets anything come alive again, whatever the order", () => {
    const clock = new SetClock();
    const store = memorySignInStore({ clock, maxEntries: 5 });
    const ended: { readonly key: string; readonly begun: number }[] = [];
    const taken: { readonly key: string; readonly until: number }[] = [];
    for (let count = 0; count < 200; count++) {
      clock.pass(7);
      // Of ages that come in no order.
      const begun = clock.time - ((count * 37) % 300);
      const key = `k${(count * 11) % 60}`;
      void store.end("ended", key, begun, begun + 1000);
      ended.push({ key, begun });
      for (const each of ended) expect(store.endedUntil("ended", [each.key])).toBeGreaterThanOrEqual(each.begun);
      const until = begun + 900;
      if (until > clock.time && store.take("state", key, until) === true) taken.push({ key, until });
      for (const each of taken) if (each.until > clock.time) expect(store.take("state", each.key, each.until)).toBe(false);
    }
    expect(taken.length).toBeGreaterThan(1);
  });

  it("is as large as it was given: what it forgets costs no memory", () => {
    const clock = new SetClock();
    const store = memorySignInStore({ clock, maxEntries: 100 });
    for (let count = 0; count < 10_000; count++) expect(store.take("state", `${count}`, clock.time + 1000 + count)).toBe(true);
    // The hundred that came last are known by name: the others by their time alone.
    expect(store.take("state", "anything", clock.time + 1000 + 9899)).toBe(false);
    expect(store.take("state", "anything", clock.time + 1000 + 9900)).toBe(true);
  });
});
