/** From what only a developer wants to know to what somebody has to see to. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Where the proxy tells what an operator should know. Must not throw, and must not wait. */
export interface ProxyLogger {
  /** `name` is from a closed set (`docs/errors.md`); `fields` are plain values, from clients among them: escape them. */
  event(level: LogLevel, name: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Tells nobody. */
export const silentLogger: ProxyLogger = { event: () => {} };
