import * as Cause from "effect/Cause";
import * as Layer from "effect/Layer";
import * as Logger from "effect/Logger";
import * as References from "effect/References";
import { formatJsonEntry, formatTextEntry } from "./log-format.ts";
import type { LogEntry, LogFormat } from "./log-format.ts";
import { effectLogLevel } from "./log-level.ts";
import type { LogLevelName } from "./log-level.ts";

export interface LoggingOptions {
  readonly level: LogLevelName;
  readonly format: LogFormat;
  /** Takes whole lines, each with its line break. */
  readonly write: (line: string) => void;
}

/** Effect's logging, written through `write`; nothing else logs. */
export function loggingLayer(options: LoggingOptions): Layer.Layer<never> {
  const format = options.format === "json" ? formatJsonEntry : formatTextEntry;
  const logger = Logger.make<unknown, void>((event) => {
    options.write(format(entryOf(event)));
  });
  return Layer.merge(
    Logger.layer([logger]),
    Layer.succeed(References.MinimumLogLevel, effectLogLevel(options.level)),
  );
}

function entryOf(event: Logger.Options<unknown>): LogEntry {
  const parts = Array.isArray(event.message) ? (event.message as readonly unknown[]) : [event.message];
  return {
    date: event.date,
    level: event.logLevel.toLowerCase(),
    message: parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "),
    fields: event.fiber.getRef(References.CurrentLogAnnotations),
    cause: event.cause.reasons.length === 0 ? undefined : Cause.pretty(event.cause),
  };
}
