import { systemClock } from "@proxy/cluster";
import type { Clock as ProxyClock } from "@proxy/cluster";
import * as EffectClock from "effect/Clock";
import * as Context from "effect/Context";
import * as Duration from "effect/Duration";
import * as Effect from "effect/Effect";

/**
 * The time of the surrounding effect, for the proxy: under a test clock its probes, timeouts and resolvers wait for that. The
 * machine's time is taken from where it costs least, as requests look at it.
 */
export const proxyClock: Effect.Effect<ProxyClock> = Effect.map(Effect.context<never>(), (context) => {
  const clock = Context.get(context, EffectClock.Clock);
  return clock === Context.get(Context.empty(), EffectClock.Clock) ? systemClock : clockOf(clock);
});

const nanosPerMilli = 1_000_000;

function clockOf(clock: EffectClock.Clock): ProxyClock {
  return {
    now: () => Number(clock.monotonicTimeNanosUnsafe()) / nanosPerMilli,
    date: () => clock.currentTimeMillisUnsafe(),
    after(delay, run) {
      const fiber = Effect.runFork(Effect.andThen(clock.sleep(Duration.millis(delay)), Effect.sync(run)));
      return () => fiber.interruptUnsafe();
    },
  };
}
