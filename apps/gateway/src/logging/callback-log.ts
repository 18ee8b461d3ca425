import * as Effect from "effect/Effect";
import type { Severity } from "effect/LogLevel";

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one entry. For plain callbacks, which no effect can be yielded from. */
export type CallbackLog = (level: Severity, message: string, fields?: LogFields) => void;

/** A log with the loggers and the level of the surrounding effect. */
export const callbackLog: Effect.Effect<CallbackLog> = Effect.map(Effect.context<never>(), (context) => {
  const run = Effect.runSyncWith(context);
  return (level, message, fields) => {
    const entry = Effect.logWithLevel(level)(message);
    run(fields === undefined ? entry : Effect.annotateLogs(entry, fields));
  };
});
