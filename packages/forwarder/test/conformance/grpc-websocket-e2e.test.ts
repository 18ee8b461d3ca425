import { afterAll, describe, expect, test } from "vitest";
import { type ConformanceCase, loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { detect, flow, trailers, trailersOnly, uploadCancelled } from "./grpc-scenarios.ts";
import { countFrames, telemetryClose, telemetryCounts, telemetryNone } from "./telemetry-scenarios.ts";
import { rawUpgrade } from "./upgrade-scenarios.ts";
import { badKey, crossVersion, message } from "./websocket-scenarios.ts";

const { area, cases } = loadArea("grpc-websocket-e2e");
const frames = cases.filter(({ rule }) => rule === "frames");

/** By rule, or by the id without the area where one rule needs two. */
const scenarios: Readonly<Record<string, (item: ConformanceCase) => void | Promise<void>>> = {
  "telemetry-counts": telemetryCounts,
  "telemetry-none": telemetryNone,
  "telemetry-close": telemetryClose,
  "frames": (item) => countFrames(item, frames),
  "websocket-echo": message,
  "websocket-versions": crossVersion,
  "websocket-bad-key": badKey,
  "raw-upgrade": rawUpgrade,
  "upload-cancel": uploadCancelled,
  "grpc-detect": detect,
  "grpc-flow": flow,
  "grpc-trailers": trailers,
  "grpc-trailers.1c8abe4e": trailersOnly,
};
let held = 0;

describe(area, () => {
  for (const item of cases) {
    test(`${item.id}: ${item.title}`, async () => {
      const play = scenarios[item.id.slice(area.length + 1)] ?? scenarios[item.rule];
      if (play === undefined) throw new Error("no scenario for this case");
      await play(item);
      held++;
    });
  }

  test("plays no case that is not in the table", () => {
    const known = new Set(cases.flatMap(({ id, rule }) => [id.slice(area.length + 1), rule]));
    expect(Object.keys(scenarios).filter((name) => !known.has(name))).toEqual([]);
  });
});

afterAll(() => reportArea(area, { held, superseded: 0, failed: cases.length - held }));
