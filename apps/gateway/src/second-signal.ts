import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";

const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * The first SIGINT or SIGTERM interrupts the program, which then finishes what is under way; the second ends the
 * process at once, with 128 and the signal's number as every shell shows it.
 */
export const exitAtSecondSignal: Layer.Layer<never> = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.sync(() => {
      let seen = 0;
      const listener = (signal: NodeJS.Signals): void => {
        seen += 1;
        if (seen > 1) process.exit(128 + signalNumbers[signal as keyof typeof signalNumbers]);
      };
      process.on("SIGINT", listener).on("SIGTERM", listener);
      return listener;
    }),
    (listener) =>
      Effect.sync(() => {
        process.removeListener("SIGINT", listener).removeListener("SIGTERM", listener);
      }),
  ),
);
