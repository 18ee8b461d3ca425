import type { Drivable } from "@proxy/cluster";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";
import * as Latch from "effect/Latch";

/**
 * Runs what is due when it is due, until it is interrupted. What runs is not waited for: a round that takes long keeps no other
 * waiting, and `schedule` sees to it that none overlaps itself. `now` is the clock that `schedule` goes by.
 */
export const runWhenDue = (schedule: Drivable, now: () => number): Effect.Effect<never> =>
  Effect.scoped(
    Effect.gen(function* () {
      const changed = yield* Latch.make();
      yield* Effect.acquireRelease(
        Effect.sync(() => schedule.onChange(() => void Latch.openUnsafe(changed))),
        (unsubscribe) => Effect.sync(unsubscribe),
      );
      for (;;) {
        yield* Latch.close(changed);
        const due = schedule.nextDue;
        if (due !== undefined && due <= now()) void schedule.runDue();
        else {
          // Whole milliseconds, upwards: waking a fraction too early would be waking in vain.
          const onTime = due === undefined ? Effect.never : Effect.sleep(Duration.millis(Math.ceil(due - now())));
          yield* Effect.race(onTime, Latch.await(changed));
        }
      }
    }),
  );
