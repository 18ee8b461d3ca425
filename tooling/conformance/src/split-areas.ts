/** Areas whose cases are asked in more than one package: who asks what, so that each case is asked once. */
import type { ConformanceCase } from "./index.ts";

/** Cases of `forwarder-errors` that a forwarder alone cannot know: where nothing is left to send to, and the counters. */
export function isAskedOfProxy(one: ConformanceCase, area: "forwarder-errors" | "config-parse" | "config-reload"): boolean {
  const { given, rule } = one;
  if (area === "forwarder-errors") return rule === "no-destination" || rule === "counters";
  if (area === "config-parse") return rule === "timeout-middleware";
  if (rule === "client-default" || rule === "client-settings") return true;
  return given.kind === "update" && !["signal", "listeners", "bad-update"].includes(rule);
}
