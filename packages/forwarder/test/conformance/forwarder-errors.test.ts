import { afterAll, describe, expect, test } from "vitest";
import { type ConformanceCase, loadArea } from "@proxy/conformance";
import { reportArea } from "@proxy/conformance/report";
import { isAskedOfProxy } from "@proxy/conformance/split-areas";
import { faults, type Observed } from "./fault-scenarios.ts";

const { area, cases: all } = loadArea("forwarder-errors");
const cases = all.filter((one) => !isAskedOfProxy(one, "forwarder-errors"));
let held = 0;

describe(area, () => {
  for (const item of cases) {
    test(`${item.id}: ${item.title}`, async () => {
      const play = faults[item.id.slice(area.length + 1)];
      if (play === undefined) throw new Error("no scenario for this case");
      holds(item, await play(item));
      held++;
    });
  }

  test("plays no case that is not in the table", () => {
    const ids = new Set(cases.map(({ id }) => id.slice(area.length + 1)));
    expect(Object.keys(faults).filter((id) => !ids.has(id))).toEqual([]);
  });
});

afterAll(() => {
  reportArea(area, { held, superseded: 0, failed: cases.length - held });
});

function holds({ expect: expected }: ConformanceCase, seen: Observed): void {
  const wanted: Record<string, unknown> = {};
  const found: Record<string, unknown> = {};
  for (const key of ["error", "requestSent", "bodyBytes", "body", "responseStarted", "aborted", "headersCleared", "thrown"] as const) {
    if (expected[key] === undefined) continue;
    wanted[key] = expected[key];
    found[key] = seen[key];
  }
  // A misuse leaves the response as it was.
  if (expected.status !== undefined && expected.thrown !== true) {
    wanted["status"] = typeof expected.status === "string" ? Number(/\d{3}/u.exec(expected.status)?.[0]) : expected.status;
    found["status"] = seen.status;
  }
  if (expected.logged !== undefined) {
    wanted["logged"] = expected.logged;
    // What the access log tells by: a cancellation is no fault.
    found["logged"] = seen.error.endsWith("Canceled") ? "cancelled" : "error";
  }
  expect(found).toEqual(wanted);
}
