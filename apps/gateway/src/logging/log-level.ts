import type { LogLevel } from "effect/LogLevel";

/** .NET's names of log levels, as `Logging:LogLevel:Default` has them, from the most talkative to silence. */
export const logLevels = ["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"] as const;

export type LogLevelName = (typeof logLevels)[number];

const effectLevels: Readonly<Record<LogLevelName, LogLevel>> = {
  Trace: "Trace",
  Debug: "Debug",
  Information: "Info",
  Warning: "Warn",
  Error: "Error",
  Critical: "Fatal",
  None: "None",
};

export function isLogLevel(text: string): text is LogLevelName {
  return (logLevels as readonly string[]).includes(text);
}

/** The level of Effect's logger that lets through what the .NET level does. */
export function effectLogLevel(name: LogLevelName): LogLevel {
  return effectLevels[name];
}
