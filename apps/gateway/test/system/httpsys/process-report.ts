import { readdirSync } from "node:fs";
// @boundaries-ignore the double of the HTTP Server API
import { liveObjects, totals } from "../../../../../packages/httpsys/test/double.ts";

/** What a process holds, and what became of the requests that it gave away. */
export interface ProcessReport {
  /** Objects of the double that are open. */
  readonly live: ReturnType<typeof liveObjects>;
  readonly totals: ReturnType<typeof totals>;
  readonly descriptors: number;
  /** Bytes in buffers after a collection: those of pending calls, and whatever was forgotten. */
  readonly buffers: number;
}

/** Answers each message with a report; needs `--expose-gc`. */
export function reportWhenAsked(libraryPath: string, more: () => Readonly<Record<string, unknown>> = () => ({})): void {
  process.on("message", () => void reportNow(libraryPath).then((report) => process.send?.({ ...report, ...more() })));
}

export async function reportNow(libraryPath: string): Promise<ProcessReport> {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc");
  // Memory of buffers is given back after the collection that finds them.
  for (let i = 0; i < 3; i++) await globalThis.gc({ execution: "async", type: "major" });
  return {
    live: liveObjects(libraryPath),
    totals: totals(libraryPath),
    descriptors: readdirSync("/proc/self/fd").length,
    buffers: process.memoryUsage().arrayBuffers,
  };
}
