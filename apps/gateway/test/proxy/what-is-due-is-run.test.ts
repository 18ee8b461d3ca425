import * as Effect from "effect/Effect";
import * as Fiber from "effect/Fiber";
import * as TestClock from "effect/testing/TestClock";
import * as Clock from "effect/Clock";
import { describe, expect, test } from "vitest";
import { Schedule } from "@proxy/cluster";
import { runWhenDue } from "../../src/proxy/health-checks.ts";

/** Runs `body` with a schedule whose clock is the test's, and the fiber that runs what is due. */
function scheduled(
  run: (name: string) => void | Promise<void>,
  body: (schedule: Schedule<string>) => Effect.Effect<void>,
): Promise<void> {
  const program = Effect.gen(function* () {
    const clock = yield* Clock.Clock;
    const now = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000;
    const schedule = new Schedule<string>({ clock: { now, date: now, after: () => () => {} }, run });
    schedule.start();
    const fiber = yield* Effect.forkChild(runWhenDue(schedule, now));
    yield* body(schedule);
    yield* Fiber.interrupt(fiber);
  });
  return Effect.runPromise(Effect.provide(program, TestClock.layer({ warningDelay: "1 hour" })));
}

describe("what is due", () => {
  test("runs on time, also when that is a fraction of a millisecond, and after additions while nothing was due", async () => {
    const ran: string[] = [];
    await scheduled(
      (name) => void ran.push(name),
      (schedule) =>
        Effect.gen(function* () {
          yield* TestClock.adjust(5);
          schedule.add("a", 100, 30.000_000_000_4);
          yield* TestClock.adjust(29);
          expect(ran).toEqual([]);
          yield* TestClock.adjust(2);
          expect(ran).toEqual(["a"]);
          schedule.add("b", 1000, 0);
          yield* TestClock.adjust(100);
          expect(ran).toEqual(["a", "b", "a"]);
          schedule.remove("a");
          yield* TestClock.adjust(500);
          expect(ran).toEqual(["a", "b", "a"]);
        }),
    );
  });

  test("is not waited for: what runs long keeps no other waiting, and does not run twice at a time", async () => {
    const ran: string[] = [];
    const slow = Promise.withResolvers<void>();
    await scheduled(
      (name) => {
        ran.push(name);
        return name === "slow" ? slow.promise : undefined;
      },
      (schedule) =>
        Effect.gen(function* () {
          schedule.add("slow", 10);
          schedule.add("quick", 25);
          yield* TestClock.adjust(60);
          expect(ran).toEqual(["slow", "quick", "quick"]);
          slow.resolve();
          yield* TestClock.adjust(11);
          expect(ran.at(-1)).toBe("slow");
        }),
    );
  });
});
