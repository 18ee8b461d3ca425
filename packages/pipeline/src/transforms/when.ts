import type { TransformSettings } from "./transform-settings.ts";

/** Whether a transform applies to a response with this status. */
export type StatusCondition = (status: number) => boolean;

// A failure without a response has a status of its own, 502 or 504.
const conditions = new Map<string, StatusCondition>([
  ["always", () => true],
  ["success", (status) => status < 400],
  ["failure", (status) => status >= 400],
]);

/** `When`: Always, Success (the default: a status below 400), Failure (400 and above, or no response). */
export function when(settings: TransformSettings, preset = "Success"): StatusCondition | undefined {
  const name = settings.get("When") ?? preset;
  const holds = conditions.get(name.toLowerCase());
  if (holds === undefined) {
    settings.report("bad-when", `transform '${settings.form}' knows Always, Success and Failure, not '${name}'`);
  }
  return holds;
}
