/**
 * Durations as text. Two forms: the constant form of .NET's TimeSpan, `[-][d.]hh:mm:ss[.fffffff]`, which YARP's files use,
 * and a number with a unit: `500ms`, `15s`, `2m`, `1h`, `1d`.
 */

const timeSpan = /^(-?)(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,7}))?$/;
const withUnit = /^(-?\d{1,15}(?:\.\d{1,7})?)(ms|s|m|h|d)$/;
const unitMilliseconds = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** How a duration is written, for hints. */
export const durationForms = "write a duration as hh:mm:ss (00:00:15), d.hh:mm:ss, or with a unit: 500ms, 15s, 2m, 1h, 1d";

/** The longest duration a timer can wait for: 2^31 - 1 ms, about 24.8 days. Longer ones would fire at once. */
export const longestTimer = 2_147_483_647;

/** Milliseconds of a duration text, or undefined when it is none: hours above 23, minutes or seconds above 59, no unit. */
export function parseDuration(text: string): number | undefined {
  const unit = withUnit.exec(text);
  if (unit !== null) return Number(unit[1]) * (unitMilliseconds.get(unit[2] ?? "") ?? 0);
  const span = timeSpan.exec(text);
  if (span === null) return undefined;
  const [, sign, days = "0", hours, minutes, seconds, fraction = ""] = span;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const milliseconds = whole * 1000 + Number(fraction.padEnd(7, "0")) / 10_000;
  return sign === "-" ? -milliseconds : milliseconds;
}

/** The TimeSpan form of a number of milliseconds: `15000` is `00:00:15`. */
export function formatDuration(milliseconds: number): string {
  const ticks = Math.round(Math.abs(milliseconds) * 10_000);
  const fraction = ticks % 10_000_000;
  const total = Math.floor(ticks / 10_000_000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const days = Math.floor(total / 86_400);
  const clock = `${two(Math.floor(total / 3600) % 24)}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
  return `${milliseconds < 0 ? "-" : ""}${days > 0 ? `${days}.` : ""}${clock}${fraction > 0 ? `.${String(fraction).padStart(7, "0")}` : ""}`;
}
