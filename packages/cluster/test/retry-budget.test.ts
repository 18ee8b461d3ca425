import { expect, test } from "vitest";
import { RetryBudget, type Clock } from "../src/index.ts";

class SetClock implements Clock {
  time = 5_000_123;
  now = (): number => this.time;
  date = (): number => this.time;
  after = (): (() => void) => () => {};
}

function taken(budget: RetryBudget, tries = 1000): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (budget.take()) count++;
  return count;
}

test("retries are a share of the requests of ten seconds", () => {
  const clock = new SetClock();
  const budget = new RetryBudget({ percent: 20, minPerSecond: 0, clock });
  expect(budget.take()).toBe(false);
  for (let i = 0; i < 100; i++) budget.request();
  expect([taken(budget), budget.isExhausted]).toEqual([20, true]);
  clock.time += 5000;
  for (let i = 0; i < 100; i++) budget.request();
  expect(taken(budget)).toBe(20);
  // The first hundred are older than ten seconds now, and so are their retries.
  clock.time += 5000;
  expect(taken(budget)).toBe(0);
  for (let i = 0; i < 10; i++) budget.request();
  expect(taken(budget)).toBe(2);
  clock.time += 60_000;
  expect(taken(budget)).toBe(0);
});

test("a minimum is there in any case", () => {
  const clock = new SetClock();
  const budget = new RetryBudget({ percent: 0, minPerSecond: 3, clock });
  expect(taken(budget)).toBe(30);
  clock.time += 9000;
  expect(taken(budget)).toBe(0);
  clock.time += 1000;
  expect([taken(budget, 1), budget.isExhausted]).toEqual([1, false]);
});

test("new limits go on with what was counted", () => {
  const clock = new SetClock();
  const before = new RetryBudget({ percent: 0, minPerSecond: 1, clock });
  expect(taken(before)).toBe(10);
  expect(taken(new RetryBudget({ percent: 0, minPerSecond: 2, clock }, before))).toBe(10);
});
