import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import { isGreaterThanOrEqualTo } from "effect/LogLevel";
import type { Severity } from "effect/LogLevel";
import * as References from "effect/References";

export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one entry. For plain callbacks, which no effect can be yielded from. */
export type CallbackLog = (level: Severity, message: string, fields?: LogFields) => void;

/** A log with the loggers and the level of the surrounding effect. What is below the level costs a comparison. */
export const callbackLog: Effect.Effect<CallbackLog> = Effect.map(Effect.context<never>(), (context) => {
  const run = Effect.runSyncWith(context);
  const minimum = Context.get(context, References.MinimumLogLevel);
  return (level, message, fields) => {
    if (!isGreaterThanOrEqualTo(level, minimum)) return;
    const entry = Effect.logWithLevel(level)(message);
    run(fields === undefined ? entry : Effect.annotateLogs(entry, fields));
  };
});
